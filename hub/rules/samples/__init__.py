"""What is remembered of messages for `avg(x, 10m)`, `previous(x)` and their like."""
