"""The terminal live view: a client of a running hub. link (HTTP) → model → kinds (rows; both pure) → app (Textual)."""
