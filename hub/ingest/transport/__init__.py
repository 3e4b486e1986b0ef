"""One connection to a broker: bytes over TCP, TLS or WebSocket; whether the broker lives; when to try again."""
