"""What the hub says to its own rules: every topic below `$hub/`, with the fields of its payload.

No wildcard subscribes to topics that begin with `$` (MQTT 5, 4.7.2), and the hub never subscribes to those below
`$hub/`: so no device can forge them.
"""

from collections.abc import Mapping

__all__ = ["OF_CLUSTER", "OWN_FIELDS"]

OF_CLUSTER = ("$hub/cluster", "$hub/node/+")
"""Spoken of only in a cluster, where each payload below `$hub/` has `node` beside its fields: whom it is about."""

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
    "$hub/cluster": {
        "nodes": "how many nodes belong to the cluster: those that were heard, until they leave",
        "heard": "how many of them are heard now",
        "standbys": "how many of these could take over",
        "gone": "the names of those that are not heard",
        "log_bytes": "how large the log is on each of its servers",
        "log_percent": "the same in percent of what it may be",
        "snapshot_seconds": "the age of the newest snapshot",
    },
    "$hub/node/+": {
        "alive": "whether the node is heard",
        "gone_seconds": "for how long it is not, though it belongs to the cluster",
        "version": "the hub's version there",
        "rules_differ": "whether it has other rules than the owner",
        "records_behind": "records of the log that it has yet to apply",
        "seconds_behind": "the same in seconds, by the clock of the log's servers",
        "forked": "whether the log and its copy disagree",
        "detail": "why it cannot follow the log",
    },
}
"""Filter → field → what it says. Times are seconds; what happened is counted since the event before it."""
