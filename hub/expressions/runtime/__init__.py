"""What compiled expressions call that no user writes: budgets, errors as values, loops of macros."""
