"""Each screen, as a terminal shows it, equals its picture in characters: screens/*.txt."""

import os
from pathlib import Path

import pytest
from textual.color import Color

from tests.operate.live.stand import alert, figures, screen, standing, until, viewing

SCREENS = Path(__file__).parent / "screens"  # drawn anew with HUB_SCREENS=1 in the environment
HOSTILE = "\x1b[31m[bold red]kitchen[/]\u202e\n"


async def world(stand):
    """Fill a stand-in with one of everything, some of it hostile."""
    ago = "2026-03-01T11:54:30.000Z"
    smoke = {"alertname": "Smoke", "severity": "critical", "site": HOSTILE}
    stand.answers["alerts"]["alerts"] = [
        alert(acknowledged={"by": "ada", "at": ago, "comment": "on my way", "until": None}, mark="00000000000000a1"),
        alert("Smoke", mark="00000000000000a2", severity="critical", labels=smoke, summary=f"smoke {HOSTILE}"),
        alert("DoorOpen", "pending", "00000000000000a3", severity="info"),
        alert("Absent", "resolved", "00000000000000a4", until="2026-03-01T11:56:30.000Z"),
        alert("Quiet", mark="00000000000000a5", held={"stage": "silence", "detail": "5"}),
    ]
    stand.answers["rules"]["rules"] = [
        {"name": "Smoke", "kind": "alert", "topics": ["site/{site}/smoke/{detector}/alarm"], "when": "smoke == true"}
        | {"for": None, "severity": "critical", "shadow": False, "enabled": True, "file": "rules/smoke.yaml", "line": 3}
        | {"instances": 40, "pending": 0, "firing": 1, "matches": 12345, "errors": 0, "cost_microseconds": 1.25},
        {
            "name": "Broken",
            "kind": "event",
            "topics": ["t/#"],
            "when": "[1][value] > 2",
            "shadow": True,
            "enabled": True,
        }
        | {"file": "rules/x.yaml", "line": 9, "instances": 0, "errors": 17, "last_error": f"t/1: no value {HOSTILE}"},
    ]
    stand.answers["devices"]["devices"] = [
        {"device": "site/berlin/smoke/kitchen/alarm", "last_seen": ago, "interval_seconds": 2.0, "presence": "silent"}
        | {"registered": True, "attributes": {"floor": "2", "name": "[b]x[/b]"}},
        {"device": f"odd/{HOSTILE}", "last_seen": None, "interval_seconds": None, "presence": "silent"},
    ]
    stand.answers["receivers"]["receivers"] = [
        {
            "name": "chat",
            "kind": "webhook",
            "circuit": "closed",
            "state": "works",
            "queued": 0,
            "dead": 0,
            "last_delivered": ago,
        }
        | {"last_error": ""},
        {"name": "sms", "kind": "apprise", "circuit": "open", "queued": 3, "dead": 2, "last_delivered": None}
        | {"last_error": "status 503"},
    ]


async def history(stand):
    ago = "2026-03-01T11:54:30.000Z"
    for egr in (10.0, 20.0, 40.0, 54.0):
        await stand.say("figures", figures(egr, firing=3))
    for number, payload in enumerate(({"temperature": -9.5}, f"[red]text[/] {HOSTILE}", 7)):
        data = {"topic": f"site/berlin/freezer/{number}", "payload": payload, "qos": 1, "retain": False}
        await stand.say("event", {**data, "skipped": 250 * number}, ago)
    told = {"notification": "a1-1-firing", "receiver": "chat", "alertname": "Smoke", "state": "firing"}
    await stand.say("delivery", told | {"outcome": "delivered", "reason": "", "attempt": 1, "seconds": 0.011}, ago)
    again = {"receiver": "sms", "outcome": "retry", "reason": f"503 {HOSTILE}", "attempt": 4, "seconds": 9.0}
    await stand.say("delivery", told | again, ago)
    await stand.say("dead", told | {"receiver": "sms", "reason": "older than 3d"}, ago)


@pytest.fixture
async def shown_world():
    async with standing() as stand:
        await world(stand)
        yield stand


async def show(stand, pilot, view, name):
    """Go to a screen, with all of the history heard and all reads answered."""
    await history(stand)
    view.action_go(name)
    await until(pilot, lambda: view.model.since == f"1-{stand.number}")
    reads = {"rules": "rules", "devices": "devices", "deliveries": "receivers"}
    await until(pilot, lambda: name not in reads or getattr(view.model, reads[name]))
    view.draw()
    await pilot.pause()


def hold(view, name):
    lines = screen(view)
    assert not [letter for line in lines for letter in line if not letter.isprintable()]
    text = "\n".join([*lines, ""])
    path = SCREENS / f"{name}.txt"
    if os.environ.get("HUB_SCREENS"):
        path.write_text(text, "utf-8")
    assert text == path.read_text("utf-8")


@pytest.mark.parametrize("name", ["alerts", "events", "rules", "devices", "deliveries"])
@pytest.mark.parametrize("width", [80, 130])
async def test_a_screen_looks_as_it_did(shown_world, name, width):
    async with viewing(shown_world, (width, 24 if width == 80 else 30)) as (view, pilot):
        await show(shown_world, pilot, view, name)
        hold(view, f"{name}-{width}")


async def test_the_pages_over_the_screens_look_as_they_did(shown_world):
    async with viewing(shown_world, (80, 40), notes="hub watch --url [http]\n") as (view, pilot):
        await show(shown_world, pilot, view, "alerts")
        for key, name in (("enter", "all-of-it"), ("s", "silence"), ("question_mark", "help")):
            await pilot.press(key)
            await pilot.pause()
            hold(view, name)
            await pilot.press("escape")


async def test_markup_of_a_device_stands_there_as_it_was_sent(shown_world):
    async with viewing(shown_world, (130, 30)) as (view, pilot):
        await show(shown_world, pilot, view, "events")
        text = "\n".join(screen(view))
        assert r"[red]text[/] \x1b[31m[bold red]kitchen[/]\u202e\n" in text


async def test_severities_have_colours_and_none_has_one_with_no_color(shown_world, monkeypatch):
    def colours(view):
        strips = view.screen._compositor.render_strips(view.size)
        line = next(line for line in strips if "Smoke" in line.text)
        for each in view.get_line_filters():
            line = line.apply_filter(each, Color(0, 0, 0))
        return {segment.style.color.name for segment in line if segment.style and segment.style.color}

    async with viewing(shown_world) as (view, pilot):
        await show(shown_world, pilot, view, "alerts")
        await pilot.press("down")
        with_colour = colours(view)
    monkeypatch.setenv("NO_COLOR", "1")
    async with viewing(shown_world) as (view, pilot):
        await show(shown_world, pilot, view, "alerts")
        assert colours(view) == {"default"}
        hold(view, "alerts-80")
    assert with_colour - {"default"}


@pytest.mark.parametrize("size", [(40, 12), (20, 5), (200, 60)])
async def test_a_very_small_or_large_terminal_shows_what_there_is_room_for(shown_world, size):
    async with viewing(shown_world, size) as (view, pilot):
        for name in ("alerts", "events", "rules", "devices", "deliveries"):
            await show(shown_world, pilot, view, name)
            assert len(screen(view)) == size[1]


async def test_in_a_cluster_the_head_says_who_owns():
    async with standing() as stand, viewing(stand, (80, 24)) as (view, pilot):
        await stand.say("figures", figures())
        await until(pilot, lambda: view.model.figures, "figures")
        assert "owner" not in screen(view)[0]
        for owner, said in (("b", " owner b "), ("", " no owner "), ("c", " owner c ")):
            await stand.say("figures", figures() | {"node": "a", "owner": owner})
            await until(pilot, lambda said=said: said in screen(view)[0], said)
