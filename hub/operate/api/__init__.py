"""The hub over HTTP, inside its process: events in, the desk, the live feed, Alertmanager's API, health."""
