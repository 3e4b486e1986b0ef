"""Fleet files: which devices there are (the registry that rules look attributes up in) and how they are played."""
