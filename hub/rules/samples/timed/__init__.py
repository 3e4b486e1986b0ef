"""What is remembered for functions that look at time itself: how long, weighed by time, ahead, by the hour."""
