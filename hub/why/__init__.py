"""Why an alert is what it is and who was told (story), or why nobody is told (why_not): trace and core in words."""
