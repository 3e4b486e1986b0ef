"""ingest: what arrived. session (MQTT) → decode → Event; the broker's session is the hub's write-ahead log."""
