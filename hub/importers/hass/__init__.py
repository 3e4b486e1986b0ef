"""Makes rules of Home Assistant's alerts and of automations that tell somebody."""

from hub.importers.hass.ha_alerts import read_homeassistant

__all__ = ["read_homeassistant"]
