"""Whose turn it is at one receiver, when, and what need not be sent any more: plain state. Only channel.py does I/O."""
