"""notify: who is told, surely. outbox → dispatcher → receivers."""
