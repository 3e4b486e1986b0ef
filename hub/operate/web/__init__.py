"""The notification centre: a web page for phone and desk, and the page behind an acknowledge link."""
