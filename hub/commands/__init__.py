"""What can be asked of a running hub: acknowledge, silence, why, …; a channel (MQTT) brings requests and takes answers.

desk (what a request does to the core) ← service (by name, durable, read from the store) ← channel
"""
