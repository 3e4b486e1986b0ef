"""alerts: what is the matter now. lifecycle (pure) → book; turns transitions into notifications."""
