"""doctor: looks at what is around a hub and says what to mend; one file each for broker, machine and state file."""
