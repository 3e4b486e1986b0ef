"""alerts: the alerts that exist, and who is told of them. Takes transitions from the rules, gives notifications."""
