"""What the hub knows of Apprise's services that Apprise itself does not say; for receivers/apprise.py."""
