"""The log of a unit: what a record is, who may write it, and how a copy follows it."""
