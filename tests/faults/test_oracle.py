"""The oracle itself, on sequences short enough to see."""

from tests.faults import oracle


def load(*values):
    return [(float(n), "load", "a", n, v) for n, v in enumerate(values)]


def at(*steps):
    return [(time, "held", "a", n, v) for n, (time, v) in enumerate(steps)]


def test_it_counts_moments_and_episodes():
    assert oracle.events(load(901, 900, 902)) == {("a", 0), ("a", 2)}
    assert oracle.flaps(load(501, 400, 501, 299, 299, 600)) == {"a": ["firing", "resolved", "firing"]}


def test_it_counts_only_what_held_long_enough():
    assert oracle.held(at((0, 11), (1, 11), (1.5, 1))) == {"a": []}
    assert oracle.held(at((0, 11), (1, 11), (2.5, 1))) == {"a": ["firing", "resolved"]}
    assert oracle.held(at((0, 11))) == {"a": ["firing"]}


def test_it_keeps_an_episode_that_comes_back_in_time():
    assert oracle.sticky(at((0, 11), (1, 1), (1.1, 11), (2, 1))) == {"a": ["firing", "resolved"]}
    assert oracle.sticky(at((0, 11), (1, 1), (4, 11))) == {"a": ["firing", "resolved", "firing"]}
