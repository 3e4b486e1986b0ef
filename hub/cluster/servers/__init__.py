"""The NATS servers: one connection, the few operations of JetStream that are used, the streams of a cluster."""
