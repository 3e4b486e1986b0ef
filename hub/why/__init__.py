"""Why an alert is what it is and who was told (story), or why none came (absence): the trace and the core, in words."""
