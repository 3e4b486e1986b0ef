"""Payloads that are no JSON: what a rule's `decode` and MQTT 5's content type ask for. Bytes in, a value out; pure.

What comes out is what JSON could have said, and bytes: names are text, numbers are finite, nesting and number are
bounded.
"""
