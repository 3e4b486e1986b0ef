"""The MQTT session, in 5 and in 3.1.1: what the broker has sent, and how much of it was acknowledged."""
