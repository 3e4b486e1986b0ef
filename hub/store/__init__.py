"""store: the one durable place, below all stages. State, alerts, outbox and packet ids are committed as one."""
