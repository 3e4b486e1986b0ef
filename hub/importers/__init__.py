"""Makes a rule file of a file of another tool: mqttwarn, Home Assistant, Prometheus, AWS IoT Events.

The package is pure: each `read_…` takes a text and returns an Imported, or raises ConfigError with the places. The CLI
reads the file and prints. Whatever cannot be carried over becomes a remark; nothing is left out without one.
"""

from collections.abc import Callable

from hub.importers.draft import Imported
from hub.importers.hass import read_homeassistant
from hub.importers.iotevents import read_awsiotevents
from hub.importers.mqttwarn import read_mqttwarn
from hub.importers.prometheus import read_prometheus

__all__ = ["IMPORTERS", "Imported"]

IMPORTERS: dict[str, Callable[[str, str], Imported]] = {
    "mqttwarn": read_mqttwarn,
    "homeassistant": read_homeassistant,
    "prometheus": read_prometheus,
    "awsiotevents": read_awsiotevents,
}
"""The readers by the name of the format; each takes the text of a file, and its path for the remarks."""
