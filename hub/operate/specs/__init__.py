"""What programs may rely on: the documents of HTTP and MQTT, made of what the code declares."""
