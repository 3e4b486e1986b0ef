"""Whose turn it is at one receiver, when, and what need not be sent any more. Plain state, no I/O."""
