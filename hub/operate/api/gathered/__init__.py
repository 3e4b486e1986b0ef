"""What the HTTP interface gathers while the hub runs, for requests that come later."""
