"""The topics that rules name: filters with captures, and which topics they mean."""
