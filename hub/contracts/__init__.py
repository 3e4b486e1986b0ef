"""What the hub says to programs, declared once as types, and the JSON Schemas that are made of them. A leaf."""
