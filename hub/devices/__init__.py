"""Fleet files: which devices there are (rules look up attributes in this registry) and how to simulate them."""
