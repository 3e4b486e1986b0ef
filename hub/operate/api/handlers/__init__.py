"""The handlers of HTTP requests, in a file for each kind of request; each file has its table ENDPOINTS."""
