import inspect
import logging

from hub.observer import Observer, Observers

HEARD = [name for name, _ in inspect.getmembers(Observer, inspect.isfunction) if not name.startswith("_")]


class Recorder(Observer):
    def __init__(self):
        self.heard = []

    def __getattribute__(self, name):
        if name in HEARD:
            return lambda *what: self.heard.append((name, what))
        return super().__getattribute__(name)


class Broken(Observer):
    def alert(self, body):
        raise ValueError(body)


def test_each_observer_hears_all_that_there_is_to_hear():
    first, second = Recorder(), Recorder()
    both = Observers(first, second)
    for name in HEARD:
        count = len(inspect.signature(getattr(Observer, name)).parameters) - 1
        getattr(both, name)(*range(count))
    assert [name for name, _ in first.heard] == HEARD
    assert first.heard == second.heard


def test_one_that_fails_is_logged_and_told_no_more_and_the_others_still_are(caplog):
    sound = Recorder()
    both = Observers(Broken(), sound)
    with caplog.at_level(logging.ERROR):
        both.alert({})
        both.alert({})
    assert len(sound.heard) == 2
    assert [record.message for record in caplog.records] == [
        "Broken failed at alert and is told no more; this is a bug in the hub"
    ]
