"""late: messages out of order fill in the past, and any permutation of an upload gives the same history."""

from itertools import pairwise

from hypothesis import example, given, settings
from hypothesis import strategies as st

from hub.clock import rfc3339
from tests.alerts.flapper import Site
from tests.rules.making import event

WARM = """
- {alert: Warm, topic: "l/{device}", when: v > 8, for: 10m, notify: [chat], timestamp: {at: payload.ts, late: 2h}}
"""
PLAIN = WARM.replace("for: 10m, ", "")
HYSTERESIS = WARM.replace("notify", "clear: v < 4, clear_for: 5m, notify")
NOW = 10_000.0  # of the hub, when the upload comes


class Logger:
    """A logger that sends at once what it has measured."""

    def __init__(self, rule=WARM):
        self.at = Site(rule)
        self.at.wait(NOW - 1000)

    @property
    def world(self):
        return self.at.world

    def send(self, *messages):
        """Send times (seconds before now where negative) and values, all at this moment."""
        for ts, value in messages:
            body = {"ts": ts if ts > 0 else self.world.now + ts, "v": value}
            self.world.send([event("l/1", body, self.world.now)])
            self.world.collect()
        self.at.wait(0)

    def told(self):
        """Take what was told: state, whether late, and the times."""
        told, self.world.told = self.world.told, []
        return [(n.body["state"], n.body.get("late", False), n.body["since"], n.body["until"]) for n in told]

    @property
    def states(self):
        return [(each.state.value, each.episode) for each in self.world.core.book.alerts.values()]


def past(since, until):
    return "resolved", True, rfc3339(since), rfc3339(until)


def test_what_began_and_ended_in_an_upload_is_told_once_as_resolved():
    logger = Logger()
    logger.send((-7000, 5), (-6000, 9), (-5000, 9), (-4000, 5), (-10, 5))
    assert logger.told() == [past(NOW - 6000 + 600, NOW - 4000)]
    assert logger.states == [("resolved", 1)]
    logger.at.wait(5000)
    logger.send((-10, 5))
    assert logger.told() == []


def test_an_upload_whose_newest_message_is_old_tells_its_past_at_once_too():
    logger = Logger()
    logger.send((-7000, 9), (-5000, 5), (-4000, 5))
    assert logger.told() == [past(NOW - 6400, NOW - 5000)]


def test_what_did_not_hold_for_its_time_is_not_told():
    logger = Logger()
    logger.send((-7000, 9), (-6500, 5), (-6400, 9), (-6000, 5), (-10, 5))
    assert logger.told() == []
    assert all(episode == 0 for _, episode in logger.states)


def test_what_holds_at_the_newest_message_fires_with_its_own_time():
    logger = Logger()
    logger.send((-10, 9), (-3000, 5), (-2000, 9))
    assert logger.told() == [("firing", False, rfc3339(NOW - 1400), None)]


def test_an_old_upload_that_holds_at_its_end_fires_when_no_more_of_it_comes():
    logger = Logger()
    logger.send((-7000, 9), (-5000, 9))
    assert logger.told() == []
    logger.at.wait(5)
    logger.send((-4000, 9))
    logger.at.wait(5)
    assert logger.told() == []
    logger.at.wait(5)
    assert logger.told() == [("firing", False, rfc3339(NOW - 7000 + 600), None)]


def test_an_upload_in_several_parts_never_fires_if_it_ends_within_them():
    logger = Logger()
    logger.send((-7000, 9), (-5000, 9))
    logger.at.wait(2)
    logger.send((-4000, 5))
    logger.at.wait(100)
    assert [each[:2] for each in logger.told()] == [("resolved", True)]


def test_a_late_message_undoes_nothing_of_what_fires():
    logger = Logger(PLAIN)
    logger.send((-1, 9))
    assert [each[0] for each in logger.told()] == ["firing"]
    logger.send((-100, 5), (-50, 9))
    logger.at.wait(3)
    logger.send((NOW - 20, 5))
    logger.at.wait(10)
    assert logger.told() == [past(NOW - 50, NOW - 20)]
    assert logger.states == [("firing", 1)]
    logger.at.wait(10)
    logger.send((-1, 5))
    assert [each[0] for each in logger.told()] == ["resolved"]


def test_messages_in_order_are_judged_as_without_late():
    logger = Logger()
    logger.send((-1, 9))
    logger.at.wait(598)
    assert logger.told() == []
    logger.at.wait(1)
    assert [each[0] for each in logger.told()] == ["firing"]
    logger.send((-1, 5))
    assert [each[:2] for each in logger.told()] == [("resolved", False)]


def test_the_clock_ends_what_clear_for_holds_and_it_is_not_told_again():
    logger = Logger(HYSTERESIS.replace("for: 10m, ", ""))
    logger.send((-1, 9))
    logger.at.wait(60)
    logger.send((-1, 2))
    logger.at.wait(400)
    assert [each[0] for each in logger.told()] == ["firing", "resolved"]
    logger.send((-1, 5))
    logger.send((-400, 2))
    logger.at.wait(10)
    assert logger.told() == []


def test_a_message_older_than_late_is_not_heard_and_told_as_a_problem():
    logger = Logger()
    logger.send((-1, 5))
    logger.send((-7500, 9), (-7300, 9))
    assert logger.told() == []
    assert len(logger.world.errors) == 2
    assert "`late` is 2h: it is not heard" in logger.world.errors[0][2]


def test_a_restart_and_a_reload_lose_nothing_of_it():
    for again in ("restart", "reload"):
        logger = Logger()
        logger.send((-1000, 5), (-1, 5))
        getattr(logger.world, again)()
        logger.at.wait(1)
        logger.send((NOW - 6000, 9))
        getattr(logger.world, again)()
        logger.send((NOW - 4000, 5))
        assert logger.told() == []
        getattr(logger.world, again)()
        logger.at.wait(10)
        assert logger.told() == [past(NOW - 5400, NOW - 4000)]
        logger.send((NOW - 5000, 9))
        getattr(logger.world, again)()
        logger.at.wait(20)
        assert logger.told() == []


def test_a_window_that_gives_another_answer_is_judged_as_of_now():
    rule = WARM.replace("v > 8, for: 10m", "'count(v > 8, 1h) >= 3'")
    logger = Logger(rule)
    logger.send((-100, 9), (-1, 9))
    assert logger.told() == []
    logger.send((-50, 9))
    assert [each[:2] for each in logger.told()] == [("firing", False)]


def test_a_mute_or_shadow_keeps_the_past_from_being_told():
    logger = Logger(WARM.replace("notify", "shadow: true, notify"))
    logger.send((-7000, 9), (-5000, 5), (-1, 5))
    assert logger.told() == []
    assert [row[1] for row in logger.world.trace] == ["transition", "held"]


# any permutation


def modelled(messages, hold, clear, clear_hold):
    """Walk second by second over the messages in order; return the episodes that are over, and whether it fires."""
    by_time, over = dict(messages), []
    pending = fired = clearing = None
    times = sorted(by_time)
    for now in range(times[0], times[-1] + 1) if times else ():
        if pending is not None and now > pending + hold:
            pending, fired = None, pending + hold
        if clearing is not None and now > clearing + clear_hold:
            over.append((fired, clearing + clear_hold))
            fired = clearing = None
        if now not in by_time:
            continue
        value = by_time[now]
        if fired is None:
            if value <= 8:
                pending = None
            elif not hold:
                fired = now
            elif pending is None:
                pending = now
        elif (value < 4) if clear else (value <= 8):
            if not clear_hold:
                over.append((fired, now))
                fired = None
            elif clearing is None:
                clearing = now
        elif not clear or value >= 4:
            clearing = None
    return over, fired


moments = st.lists(
    st.tuples(st.integers(1, 120), st.sampled_from([2, 5, 9])), max_size=12, unique_by=lambda each: each[0]
)


@settings(max_examples=150, deadline=None)
@given(
    moments.flatmap(st.permutations),
    st.sampled_from([0, 10, 30]),
    st.booleans(),
    st.sampled_from([0, 10]),
    st.booleans(),
)
@example([(50, 9), (10, 9), (30, 5)], 0, False, 0, False)
def test_any_permutation_of_an_upload_gives_the_history_of_the_sorted_one(messages, hold, clear, clear_hold, fresh):
    rule = PLAIN.replace("notify", f"for: {hold}s, clear_for: {clear_hold}s, {'clear: v < 4, ' if clear else ''}notify")
    logger = Logger(rule)
    begun = NOW - (121 if fresh else 3000)
    newest = [(121, 2)] if fresh else []
    where = len(messages) // 2
    sent = [*messages[:where], *newest, *messages[where:]]
    logger.send(*[(begun + at, value) for at, value in sent])
    over, _ = modelled(sent, hold, clear, clear_hold)
    told = [each for each in logger.told() if each[1]]
    wanted = sorted(past(begun + since, begun + until) for since, until in over)
    if not fresh:
        assert sorted(told) == wanted
    assert all(one[3] <= other[2] for one, other in pairwise(sorted(told)))
