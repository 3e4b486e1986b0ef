"""The HTTP interface of a node of a cluster: it answers what it has itself, and hands the rest to the owner."""
