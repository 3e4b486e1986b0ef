"""Regular expressions in RE2's syntax, written for an engine that is linear in the text."""
