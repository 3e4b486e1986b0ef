"""A notification as text: for people, for programs, and what of it must not be shown."""
