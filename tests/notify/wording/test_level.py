"""level: how grave a notification is told."""

import pytest

from hub.notify.wording.level import level_of
from tests.notify.fakes import notification


@pytest.mark.parametrize(
    ("body", "level"),
    [
        ({"severity": "critical"}, "critical"),
        ({"severity": "warning"}, "warning"),
        ({"severity": "info"}, "info"),
        ({"severity": "page"}, "info"),
        ({"severity": "resolved"}, "info"),
        ({"severity": "critical", "state": "resolved"}, "resolved"),
    ],
)
def test_what_has_ended_is_no_longer_critical(body, level):
    assert level_of(notification(**body).body) == level
