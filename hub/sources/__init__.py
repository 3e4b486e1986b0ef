"""Events from message queues: each source is a queue whose messages become deliveries beside those of MQTT."""
