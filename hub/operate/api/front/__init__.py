"""The front of the HTTP interface: connections, limits, who asks and what that role may do."""
