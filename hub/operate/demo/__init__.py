"""`hub demo`: broker, devices, rules and somebody to tell, all on one machine."""
