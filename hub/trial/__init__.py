"""Rules tried out before they wake anyone: the tests in rule files, and replays of recorded events.

case ← reading (YAML)      case → play → verdict          records → replay → difference
World is what both drive: the hub's own core under a time that is passed in.
"""
