"""`hub demo`: a broker, devices, a hub, and the receivers that it notifies, all on one machine."""
