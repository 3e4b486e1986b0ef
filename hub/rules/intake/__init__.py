"""What may keep a rule from being judged, or makes it speak beside its condition: pause, mute, absence."""
