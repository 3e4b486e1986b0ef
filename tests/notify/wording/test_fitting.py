"""fitting: what is kept of a notification where a service takes little."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.notify.wording.fitting import BARE, HTML, MARKDOWN, MARKED, PLAIN, Room, compose, octets
from hub.notify.wording.text import message, title
from tests.notify.fakes import notification

ACK = "https://hub.example.org/ack/74697385e7e8aee7.3.1000.Y2hhdA.K7_x-_yAbCdEfGhIjKlMnOpQrStUvWxYz0123456789"
FORMS = {"bare": BARE, "plain": PLAIN, "marked": MARKED, "markdown": MARKDOWN, "html": HTML}


def body(**more):
    return notification(**({"ack_url": ACK} | more)).body


def group(count):
    alerts = [{"id": f"{n}-1-firing", "summary": f"freezer {n}", "ack_url": f"{ACK}{n}"} for n in range(count)]
    return body(ack_url="", alerts=alerts)


def test_what_fits_is_the_whole_message_of_mail():
    told = body(details="Door open?\nLook.", runbook="https://wiki.example.org/x")
    assert compose(told, BARE, Room()) == (title(told), message(told))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "room",
    [
        Room(2000, 250),
        Room(2000, 250, together=True),
        Room(4096, 0),
        Room(160, 0),
        Room(400, 60),
        Room(500, 0, size=octets),
    ],
    ids=["apart", "together", "no title", "SMS", "small", "octets"],
)
@given(details=st.text(max_size=6000), summary=st.text(max_size=600))
def test_no_message_is_larger_than_its_room_and_each_has_the_link(form, room, details, summary):
    head, text = compose(body(details=details, summary=summary), FORMS[form], room)
    taken = room.size(text) + (room.size(head) + 2 if room.together else 0)
    assert taken <= room.text
    assert len(head) <= room.title
    assert ACK in text
    assert text


def test_a_cut_says_how_much_is_missing_and_the_table_stays():
    _, text = compose(body(details="x" * 4000), PLAIN, Room(2000, 250))
    cut = re.search(r"^(x+)… \((\d+) characters cut\)$", text, re.MULTILINE)
    assert len(cut[1]) + int(cut[2]) == 4000
    assert "\nSeverity: critical\nsite: a\n" in text
    assert text.endswith(f"Acknowledge: {ACK}")


def test_a_summary_that_is_longer_than_a_title_stands_in_the_text_whole():
    long = "word " * 200 + "end"
    head, text = compose(body(summary=long), PLAIN, Room(4000, 100))
    assert head.endswith("…")
    assert text.startswith(long)


def test_a_summary_that_this_service_s_title_cuts_stands_in_the_text_whole():
    long = "freezer 7 at site a, row 3, is at -9.0 °C, which is above -15 °C"
    head, text = compose(body(summary=long, details="Door open?"), PLAIN, Room(4000, 60))
    assert head.endswith("…")
    assert text.startswith(f"{long}\n\nDoor open?\n\nState: ")
    assert long not in compose(body(summary=long), PLAIN, Room(4000, 250))[1]


def test_an_sms_is_the_head_line_and_the_link():
    head, text = compose(body(details="x" * 900), BARE, Room(160, 0))
    assert head == ""
    assert text.startswith("[firing] FreezerTooWarm")
    assert ACK in text


def test_a_pager_of_80_characters_has_no_room_for_the_link_and_tells_the_alert():
    assert compose(body(), BARE, Room(80, 0))[1].startswith("[firing] FreezerTooWarm: 7 at a is -9.0 °C\n")


def test_a_service_of_two_lines_has_the_link_as_one_of_them():
    head, text = compose(body(details="one\ntwo\nthree"), PLAIN, Room(1000, 250, lines=2))
    assert head
    assert text == f"one…\nAcknowledge: {ACK}"


def test_of_a_group_each_link_where_there_is_room_else_the_first():
    assert compose(group(3), PLAIN, Room(1000, 250))[1].count(ACK) == 3
    assert compose(group(3), PLAIN, Room(260, 0))[1].count(ACK) == 1


@pytest.mark.parametrize(
    ("form", "written"),
    [(PLAIN, f"Acknowledge: {ACK}"), (MARKED, f"Acknowledge: {ACK}"), (MARKDOWN, f"[Acknowledge]({ACK})")],
)
def test_the_link_is_one_in_each_notation(form, written):
    assert compose(body(), form, Room())[1].splitlines()[-1] == written


def test_the_link_is_one_in_html():
    assert compose(body(), HTML, Room())[1].endswith(f'<br/>Acknowledge: <a href="{ACK}">{ACK}</a>')


@pytest.mark.parametrize("form", FORMS)
def test_what_a_device_says_of_a_group_s_alert_cannot_break_its_link(form):
    told = group(2)
    told["alerts"][0]["summary"] = "]x[`<b>(@"
    lines = compose(told, FORMS[form], Room())[1].replace("<br/>", "\n").splitlines()[-2:]
    assert all(FORMS[form].url(f"{ACK}{place}") in line for place, line in enumerate(lines))
    if form == "markdown":
        assert lines[0] == f"]x[\u02cb<\u202fb>(@\u202f: [Acknowledge]({ACK}0)"


def test_a_runbook_stays_a_link_where_details_and_table_fill_the_room():
    told = body(details="x" * 100, runbook="https://wiki.example.org/x")
    assert "\nRunbook: https://wiki.example.org/x\n" in compose(told, PLAIN, Room(450, 100))[1]


def test_a_runbook_is_a_link_that_ends_where_it_ends_and_mentions_nobody():
    told = body(runbook="https://[::1]:8080/a_b/@everyone)](x)?q=%41&b=1")
    assert "Runbook: https://[::1]:8080/a_b/%40everyone%29%5D%28x%29?q=%41&b=1\n" in compose(told, PLAIN, Room())[1]
    assert (
        "Runbook: see the\\_wiki at http:\u202f//x\n"
        in compose(body(runbook="see the_wiki at http://x"), MARKED, Room())[1]
    )


def test_a_label_named_runbook_is_no_link():
    _, text = compose(body(labels={"Runbook": "http://evil.example"}), MARKDOWN, Room())
    assert "http://evil" not in text
