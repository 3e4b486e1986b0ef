"""The tree of an expression to one Python function."""
