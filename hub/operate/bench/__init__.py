"""The load behind `hub bench`: a broker, a hub and their clients on free loopback ports, and what it costs both."""
