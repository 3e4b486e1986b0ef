"""The text of an expression to its tree, and what is said where it is none."""
