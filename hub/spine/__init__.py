"""The way of the data of one state: from what a source delivers to one commit, and the clock beside it."""
