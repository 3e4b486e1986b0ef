"""The front of the HTTP interface: connections and their limits, who the client is, and what its role may do."""
