"""Mutants that no test can kill, since they do the same, each with the reason: (module, function, lines) → why."""

EQUIVALENT = {}
