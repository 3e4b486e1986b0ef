"""The hub over HTTP, inside its process: posted events, the desk, the live feed, Alertmanager's API, health."""
