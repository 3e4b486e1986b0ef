"""The handlers of HTTP requests, a file for each kind of thing that is asked."""
