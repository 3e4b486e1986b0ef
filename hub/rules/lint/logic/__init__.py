"""What conditions mean by themselves: which of them can be true, which follows from another."""
