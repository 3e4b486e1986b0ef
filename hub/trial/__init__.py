"""Rules tried out before they wake anyone: the tests in rule files, and replays of recorded events.

YAML → trial_reading → case → trial_play → Failure          records → replaying → difference
Both drive a World: the hub's own core under a time that is passed in.
"""
