"""What the broker sends again: known by receipts and copies, so that each message counts once."""
