"""The way out to other machines: addresses that may be used, connections that are kept, requests signed."""
