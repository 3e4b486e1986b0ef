"""Behind `hub bench`: a broker, a hub and a load on free loopback ports, and what an event costs both in CPU time."""
