"""Several topics in one condition: the latest message of each has a name (`topic` as a map)."""
