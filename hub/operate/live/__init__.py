"""The terminal live view, a client of a running hub: feed_link (HTTP) → live_model → panes (both pure) → screen."""
