"""What a cluster says of itself: to its own rules, to /metrics, to the status, and to `hub cluster status`."""
