"""The MQTT notification hub: device events in, YAML rules, alerts, notifications out, nothing lost."""

__all__ = ["__version__"]

__version__ = "0.1.0"
