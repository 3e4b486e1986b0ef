"""How a command of the command line reaches a running hub: over its broker, or over HTTP."""
