"""discovery: the hub announces its alerts to Home Assistant, which then shows them without configuration."""
