"""Small fleets for tests, written as users write them."""

import json
from textwrap import dedent

from hub.devices.fleet import read_fleet
from hub.devices.player import Player
from hub.documents.document import Problems, parse_document


def problems_of(text):
    problems = Problems()
    node = parse_document(dedent(text), "fleet.yaml", problems)
    assert node is not None or problems
    if node is not None:
        read_fleet(node, problems)
    return [str(problem) for problem in problems]


def fleet_of(text):
    problems = Problems()
    fleet = read_fleet(parse_document(dedent(text), "fleet.yaml", problems), problems)
    assert not problems, "\n".join(map(str, problems))
    return fleet


def one(payload, more="", every="1s"):
    """Return the fleet of one device that sends this, exactly each second."""
    return fleet_of(f"fleet: t\ntopic: t/{{device}}\ndevices: 1\nevery: {every}\njitter: 0\n{payload}\n{more}")


def sent(fleet, seconds, seed=0):
    """Return what is sent within so many seconds as (offset, payload), None for what is no JSON."""
    return [(message.offset, parsed(message.payload)) for message in Player(fleet, seed).due(seconds, 10**6)]


def parsed(payload):
    try:
        return json.loads(payload)
    except ValueError:
        return None


def values(fleet, seconds, seed=0):
    """Return the values of the field x as they are sent."""
    return [payload["x"] for _, payload in sent(fleet, seconds, seed)]
