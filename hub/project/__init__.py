"""The files of one user taken together: which belong to each other, and mistakes that only all of them show."""
