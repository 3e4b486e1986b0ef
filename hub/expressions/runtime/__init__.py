"""What compiled expressions call and no user can write: budgets, errors as values, loops of macros."""
