"""Requests over MQTT: how they come, where answers go, and what the log says of those that fail."""
