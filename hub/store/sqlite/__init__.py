"""The state file: SQLite, one writer, migrated, locked, looked at for damage."""
