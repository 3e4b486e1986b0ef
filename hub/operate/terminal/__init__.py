"""What a terminal and a log show, line by line."""
