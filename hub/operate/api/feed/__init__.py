"""The live feed: its numbered messages, its clients, and the two ways by which messages reach them."""
