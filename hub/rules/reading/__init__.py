"""Rule files into rules: text in, checked and compiled values out, or problems with their place."""
