"""What the App does around a unit: it opens the state file and looks after it, watches files, reads rules again."""
