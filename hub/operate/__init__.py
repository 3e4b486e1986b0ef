"""What people and programs see of the hub and steer it with: command line, console, figures; nobody imports it."""
