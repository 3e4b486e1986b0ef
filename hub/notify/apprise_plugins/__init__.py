"""What is known of Apprise's services beside what Apprise itself says."""
