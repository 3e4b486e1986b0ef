"""What the HTTP interface gathers while the hub runs, for who asks later."""
