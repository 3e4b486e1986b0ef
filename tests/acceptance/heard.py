"""What receivers heard, and what must be true of it whatever happened: the promises about firing and resolved."""

import json
from collections import defaultdict


class Heard:
    """What came to webhooks: who (the path), id and body, in order."""

    def __init__(self, requests):
        self.requests = requests

    def bodies(self, who, alertname=None):
        """Return the bodies that came to one, each id once."""
        found = {each["key"]: each["json"] for each in self.requests if each["path"] == f"/{who}"}
        return [body for body in found.values() if alertname in (None, body["alertname"])]

    async def until(self, who, alertname, state, *instances, number=1, seconds=8.0):
        """Wait for the first, or a later, message of these instances (labels with `/` between) in this state."""

        def look(_):
            found = [body for body in self.bodies(who, alertname) if set(instances) <= _in_state(body, state)]
            return found[number - 1] if len(found) >= number else None

        return await self.requests.until(look, seconds, f"{who}: {alertname} {state} {instances}")

    def hold(self, *, killed=False):
        """Hold what was promised, once all alerts are over and told.

        Whoever was told that an episode fires hears once of its end, and of nothing behind it; nobody else hears of the
        end. An id comes twice only where the hub was killed, and says the same then.
        """
        seen = {}
        told = defaultdict(list)
        for each in self.requests:
            who, body = each["path"], each["json"]
            before = seen.setdefault((who, each["key"]), body)
            if before is not body:
                assert killed, f"{who} got {each['key']} twice"
                assert before == body, f"{each['key']} says two things"
                continue
            assert body["id"] == each["key"]
            for one in body.get("alerts", [body]):
                if one["state"] != "event":
                    told[who, "-".join(one["id"].split("-")[:2])].append(one["state"])
        for (who, episode), states in told.items():
            *firing, last = states
            assert last == "resolved", f"{who} was not told of the end of {episode}: {states}"
            assert firing, f"{who} heard only of the end of {episode}"
            assert set(firing) == {"firing"}, f"{who} was told after the end of {episode}: {states}"


def instance(body):
    """Return the labels that tell instances apart, `/` between them."""
    return "/".join(value for name, value in body["labels"].items() if name not in ("alertname", "severity"))


def _in_state(body, state):
    return {instance(each) for each in body.get("alerts", [body]) if each["state"] == state}


def dead(hub):
    """Return what nobody could be told."""
    return hub.rows("SELECT id, receiver, reason FROM outbox WHERE state = 'dead'")


def held(message):
    """Return which stage holds an alert back, from its retained state."""
    found = json.loads(message.payload)["held"] if message.payload else None
    return found and found["stage"]
