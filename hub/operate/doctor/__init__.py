"""doctor: checks what a hub depends on and says what to repair; one module for each of these things."""
