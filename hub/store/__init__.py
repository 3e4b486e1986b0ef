"""store: the one durable place, below all stages: state, alerts, outbox and packet ids, committed as one."""
