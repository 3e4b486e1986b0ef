"""discovery: what other systems are told of the hub's alerts, so that they show them by themselves. Pure."""
