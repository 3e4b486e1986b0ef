"""Requests over MQTT: how they come, where answers go, what is told of those that fail."""
