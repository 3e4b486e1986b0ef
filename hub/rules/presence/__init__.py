"""What Sparkplug B and Homie say of devices beside their values: births, deaths, metrics by exception."""
