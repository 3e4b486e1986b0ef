"""ingest: what arrives. MQTT session → decode → Event. The broker's session is the hub's write-ahead log."""
