"""Rules at work: events and deadlines in, transitions and changed rows out. Pure."""
