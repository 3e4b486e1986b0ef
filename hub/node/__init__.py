"""What the App does around a unit: the state file opened and looked after, files watched, rules read anew."""
