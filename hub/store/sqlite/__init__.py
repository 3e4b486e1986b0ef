"""The state file: SQLite with one writer. It is locked, migrated and checked for damage here, and nowhere else."""
