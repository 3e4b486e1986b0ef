"""The notification centre: a web page for phone and desktop, and the page that an acknowledge link opens."""
