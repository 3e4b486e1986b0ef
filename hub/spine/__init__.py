"""The way of the data through one state: from a source's deliveries to one commit, and the clock beside it."""
