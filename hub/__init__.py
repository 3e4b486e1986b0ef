"""The MQTT notification hub: device events in, YAML rules, alerts, notifications out, nothing lost."""

from importlib.metadata import version

__all__ = ["__version__"]

__version__ = version("mqtt-notification-hub")
