"""doctor: checks what a hub depends on and says what to mend; one file for each of these things."""
