"""Events from message queues. Each source is a queue; its messages become deliveries beside those of MQTT."""
