"""The files that users write, as values that know where they stand, and how a key of them is read."""
