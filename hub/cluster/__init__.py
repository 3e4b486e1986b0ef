"""A hub on several machines: hot standbys on a replicated log (NATS JetStream). Only `cluster:` loads it."""
