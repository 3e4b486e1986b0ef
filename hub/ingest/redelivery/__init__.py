"""What the broker sends more than once: receipts and copies recognise it, so that each message is evaluated once."""
