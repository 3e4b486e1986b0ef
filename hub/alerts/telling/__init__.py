"""What is told of alerts, to whom and in which words: one decision, and what carries it out."""
