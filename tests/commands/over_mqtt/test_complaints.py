"""What is told of requests that failed does not fill the log, and says what it left out."""

from hub.commands.over_mqtt.complaints import Complaints
from hub.limits import COMPLAINT_SECONDS, COMPLAINTS


def test_of_a_flood_the_first_are_told_and_with_the_next_minute_how_many_were_not():
    told, now = [], [1000.0]
    complaints = Complaints(told.append, lambda: now[0])
    for number in range(COMPLAINTS + 990):
        complaints.add(f"no {number}")
    assert told == [f"no {number}" for number in range(COMPLAINTS)]
    now[0] += COMPLAINT_SECONDS
    complaints.add("later")
    complaints.add("and this")
    assert told[COMPLAINTS:] == ["later (990 more of which nothing was said)", "and this"]
    now[0] += COMPLAINT_SECONDS
    complaints.add("calm")
    assert told[-1] == "calm"
