"""What the hub says to its own rules: every topic below `$hub/`, with the fields of its payload.

No wildcard subscribes to topics that begin with `$` (MQTT 5, 4.7.2), and the hub never subscribes to those below
`$hub/`: so no device can forge them.
"""

from collections.abc import Mapping

__all__ = ["OWN_FIELDS"]

OWN_FIELDS: Mapping[str, Mapping[str, str]] = {
    "$hub/broker": {
        "dropped": "messages that the broker has dropped since the last event, for whichever of its clients",
        "total": "the same since the broker started",
    },
    "$hub/session": {
        "connected": "whether the session with the broker stands",
        "away_seconds": "for how long it does not",
        "lost": "how often the broker had forgotten it since the last event",
        "overflows": "how often events at QoS 0 found no room since the last event",
        "detail": "what was said of the last of these",
    },
    "$hub/ingest": {
        "unreadable": "messages that could not be read since the last event, each a dead letter",
        "topic": "the topic of the last of them",
        "detail": "what was wrong with it",
    },
    "$hub/rules": {
        "refused": "whether new rules were refused, and the old ones go on",
        "detail": "the problems",
    },
    "$hub/rule/+": {
        "errors": "conditions and texts of this rule without a value since the last event",
        "troubles": "of these, all that is no condition: texts, and what had to be left out or forgotten",
        "unjudged": "topics of whose last ten messages it had a value for none; null while nobody knows",
        "topic": "the topic of the last message for which one of these was so",
        "detail": "why",
    },
    "$hub/receiver/+": {
        "circuit": "closed, open (it rests after failures) or half-open (it is tried out)",
        "failing_seconds": "for how long attempts have failed, while something waits; 0 after one that did not",
        "queued": "notifications that wait",
        "oldest_seconds": "for how long the oldest of them has",
        "dead": "notifications given up since the last event, that no fallback took",
        "detail": "why the last attempt failed, or the last one was given up",
    },
    "$hub/disk": {
        "free_bytes": "what is free where the state file lies",
        "free_percent": "the same in percent",
    },
    "$hub/state": {
        "lost": "how often state was lost since the last event; 1 while something is wrong with the file",
        "detail": "what has happened to the state file",
    },
    "$hub/clock": {
        "steps": "how often the wall clock was set since the last event",
        "seconds": "by how many seconds, the last time; negative: back",
    },
}
"""Filter → field → what it says. Times are seconds; what happened is counted since the event before it."""
