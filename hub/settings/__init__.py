"""The parts of hub.yaml that commands read too, not only the hub: broker, HTTP interface, how a hub is reached."""
