"""One connection to a broker: bytes over TCP, TLS or WebSocket, whether it lives, when to try again."""
