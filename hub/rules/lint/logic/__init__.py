"""What conditions say taken by themselves: which can be true, which follows from which."""
