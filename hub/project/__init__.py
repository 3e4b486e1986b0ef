"""The files of one user taken together: which belong to which, and what only all of them show."""
