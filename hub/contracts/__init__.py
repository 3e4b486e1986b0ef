"""What the hub says to programs, and takes from them, declared once: types, and JSON Schema made of them. A leaf."""
