"""notify: brings each notification to its receiver, also over crashes and outages. outbox → dispatcher → receivers."""
