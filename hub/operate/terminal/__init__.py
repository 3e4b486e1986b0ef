"""What the hub prints while it runs, line by line: coloured on a terminal, plain or JSON in a log."""
