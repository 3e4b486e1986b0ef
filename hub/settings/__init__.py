"""The parts of hub.yaml that more than the hub itself reads: broker, HTTP interface, how a hub is reached."""
