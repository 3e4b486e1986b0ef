"""What can be asked of a running hub: acknowledge, silence, why, … A channel (MQTT, HTTP) brings requests.

channel → service (finds the command by its name, waits for the disk) → alert_desk (what a request does to the core)
"""
