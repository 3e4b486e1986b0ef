"""What is told of alerts, to whom and in which words: decision.py decides, the tellers carry it out."""
