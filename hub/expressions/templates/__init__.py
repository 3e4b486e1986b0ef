"""Texts with `{…}` in them: summaries, labels, topics."""
