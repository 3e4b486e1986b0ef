"""Names in rule files that were meant as something else, or that nothing uses."""
