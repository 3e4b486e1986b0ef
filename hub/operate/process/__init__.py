"""The process itself: signals, file descriptors, errors as one line, spans to a collector."""
