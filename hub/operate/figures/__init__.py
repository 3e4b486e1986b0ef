"""The figures of a run: counted while it lasts, kept in buckets, and written for people at its end."""
