"""order: an older message by its device's own time; a clock that was set back is no older message for ever."""

from hypothesis import given
from hypothesis import strategies as st

from hub.limits import SET_BACK_MESSAGES, SET_BACK_SECONDS
from hub.rules.instances import device_order as module
from hub.rules.instances.device_order import DeviceOrder, Order

KEY = ("a",)
HOUR = 3600.0


def places(order, steps, latest=HOUR):
    """Let messages come, given as (own time, arrival); the latest follows those that count."""
    found = []
    for at, now in steps:
        found.append(order.place(KEY, latest, at, now))
        if found[-1] is not DeviceOrder.OLDER:
            latest = at
    return found


def test_a_message_with_an_earlier_time_is_older_and_one_with_the_same_time_is_not():
    assert places(Order(), [(HOUR - 1, 0.0), (HOUR, 1.0), (HOUR + 1, 2.0)]) == [
        DeviceOrder.OLDER,
        DeviceOrder.NEWER,
        DeviceOrder.NEWER,
    ]


def test_a_device_that_goes_on_from_an_earlier_time_at_the_pace_of_time_is_heard_again_after_a_minute():
    steps = [(20.0 * step, 5000.0 + 20.0 * step) for step in range(6)]
    assert places(Order(), steps)[:5] == [DeviceOrder.OLDER] * 4 + [DeviceOrder.SET_BACK]
    assert places(Order(), steps)[5] is DeviceOrder.NEWER


def test_what_a_gateway_has_kept_stays_older_however_long_it_sends():
    steps = [(60.0 * step, 5000.0 + 5.0 * step) for step in range(50)]
    assert set(places(Order(), steps)) == {DeviceOrder.OLDER}


def test_where_newer_messages_come_between_the_clock_is_right():
    steps = [(20.0 * step, 5000.0 + 20.0 * step) for step in range(20)]
    mixed = [each for step in steps for each in (step, (HOUR + step[1], step[1]))]
    assert DeviceOrder.SET_BACK not in places(Order(), mixed)


def test_as_many_devices_are_looked_at_as_there_is_room_for(monkeypatch):
    monkeypatch.setattr(module, "SET_BACK_DEVICES", 2)
    order = Order()
    for name in "abc":
        order.place((name,), HOUR, 0.0, 0.0)
    assert set(order._behind) == {("b",), ("c",)}


@given(st.lists(st.tuples(st.floats(0, 30), st.floats(0, 30)), max_size=40))
def test_no_clock_counts_as_set_back_before_its_time(gaps):
    at = now = 0.0
    steps = []
    for own, took in gaps:
        at, now = at + own, now + took
        steps.append((at, now))
    found = places(Order(), steps, latest=1e9)
    if DeviceOrder.SET_BACK in found:
        first = found.index(DeviceOrder.SET_BACK)
        assert first + 1 >= SET_BACK_MESSAGES
        assert steps[first][1] - steps[0][1] >= SET_BACK_SECONDS
