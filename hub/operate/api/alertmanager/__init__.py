"""Alertmanager's API v2: what amtool, karma, Grafana and Prometheus speak, on the desk's own alerts and silences."""
