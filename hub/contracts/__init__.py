"""The shapes of the hub's answers to programs: types, declared once, of which JSON Schema is made. A leaf package."""
