"""What each key does: a view is driven as a user would do it, against a stand-in that records what is asked."""

import re
import time

from textual.widgets import Input

from hub.operate.live.feed_link import linked
from hub.operate.live.screen import LiveView
from tests.operate.live.stand import alert, figures, screen, standing, until, viewing

NAMES = ("alerts", "events", "rules", "devices", "deliveries")


def said(view):
    return screen(view)[-2]


async def two_alerts(stand):
    await stand.say("alert", alert("First", mark="00000000000000a1"))
    await stand.say("alert", alert("Second", mark="00000000000000a2", severity="critical"))


async def test_an_alert_that_the_feed_tells_appears_and_goes_when_it_is_over():
    async with standing() as stand, viewing(stand) as (view, pilot):
        await stand.say("alert", alert("TooWarm"))
        await until(pilot, lambda: "TooWarm" in "\n".join(screen(view)))
        await stand.say("alert", alert("TooWarm", "inactive"))
        await until(pilot, lambda: "no alerts: nothing is the matter" in "\n".join(screen(view)))


async def test_a_acknowledges_what_the_cursor_is_on_though_the_rows_move_meanwhile():
    async with standing() as stand, viewing(stand) as (view, pilot):
        await stand.say("alert", alert("Mine", mark="00000000000000b1"))
        await until(pilot, lambda: view.rows.items)
        await pilot.press("home")
        await stand.say("alert", alert("Other", mark="00000000000000b2", severity="critical"))
        await until(pilot, lambda: len(view.rows.items) == 2)
        assert [each["alertname"] for each in view.rows.items] == ["Other", "Mine"]
        await pilot.press("a")
        await until(pilot, lambda: "acknowledged: Mine" in said(view))
        assert stand.asked == [("ack", {"by": "ada", "id": "00000000000000b1-1-firing"})]


async def test_with_tokens_the_hub_says_who_it_was():
    async with standing() as stand:
        stand.answers["status"]["login"] = True
        async with viewing(stand) as (view, pilot):
            await two_alerts(stand)
            await until(pilot, lambda: len(view.rows.items) == 2)
            await pilot.press("down", "u")
            await until(pilot, lambda: stand.asked)
            assert stand.asked == [("unack", {"id": "00000000000000a1-1-firing"})]


async def test_what_the_hub_refuses_is_said():
    async with standing() as stand, viewing(stand) as (view, pilot):
        await two_alerts(stand)
        await until(pilot, lambda: view.rows.items)
        stand.refuse = "'bob' is a viewer; this needs the role operator"
        await pilot.press("a")
        await until(pilot, lambda: stand.refuse in said(view))


async def test_s_silences_with_the_matchers_of_the_alert_and_stays_open_when_the_hub_says_no():
    async with standing() as stand, viewing(stand) as (view, pilot):
        await two_alerts(stand)
        await until(pilot, lambda: len(view.rows.items) == 2)
        stand.refuse = "'soon' is not a duration"
        await pilot.press("s", *"soon", "enter")
        await until(pilot, lambda: stand.refuse in "\n".join(screen(view)))
        stand.refuse = ""
        view.screen.query_one("#lasting", Input).value = "2h"
        await pilot.press("tab", *"why", "enter")
        await until(pilot, lambda: "silent until" in said(view))
        matchers = 'alertname="Second", site="berlin", freezer="7"'
        assert stand.asked[-1] == ("silence", {"by": "ada", "matchers": matchers, "for": "2h", "comment": "why"})


async def test_what_a_silence_is_warned_of_is_said():
    async with standing() as stand, viewing(stand) as (view, pilot):
        await two_alerts(stand)
        await until(pilot, lambda: len(view.rows.items) == 2)
        stand.warnings = ["no alert or rule has a label 'siet'"]
        await pilot.press("s", "enter")
        await until(pilot, lambda: "no alert or rule has a label 'siet'; silent until" in said(view))


async def test_w_tells_why_an_alert_came_and_why_a_rule_tells_nobody():
    async with standing() as stand:
        trace = [{"time": "2026-03-01T11:54:30.000Z", "kind": "firing", "notification": None, "reason": "it held"}]
        labels = {"site": "[b]a[/]"}
        stand.answers["why"] = {"ok": True, "alerts": [{"alertname": "Second", "labels": labels, "trace": trace}]}
        stand.answers["why-not"] = {"ok": True, "sentences": ["`value > 3` does not hold: value is 1"], "instances": []}
        stand.answers["rules"]["rules"] = [{"name": "Hot", "topics": ["t"]}]
        async with viewing(stand) as (view, pilot):
            await two_alerts(stand)
            await until(pilot, lambda: len(view.rows.items) == 2)
            await pilot.press("w")
            await until(pilot, lambda: "Second site=[b]a[/]" in "\n".join(screen(view)))
            await pilot.press("escape", "3")
            await until(pilot, lambda: view.rows.chosen)
            await pilot.press("w")
            await until(pilot, lambda: "`value > 3` does not hold" in "\n".join(screen(view)))
            assert stand.queries == [("why", {"alert": "00000000000000a2-1-firing"}), ("why-not", {"rule": "Hot"})]


async def test_r_queues_the_dead_letters_of_a_receiver_anew():
    async with standing() as stand:
        stand.answers["receivers"]["receivers"] = [{"name": "sms", "circuit": "closed", "dead": 2}]
        async with viewing(stand) as (view, pilot):
            await pilot.press("r")
            await until(pilot, lambda: "go to a receiver first" in said(view))
            await pilot.press("5")
            await until(pilot, lambda: view.rows.chosen)
            await pilot.press("r")
            await until(pilot, lambda: "queued again: 2" in said(view))
            assert stand.asked == [("outbox-retry", {"by": "ada", "receiver": "sms", "all": True})]


async def test_a_filter_shows_what_has_each_of_its_words_until_it_is_ended():
    async with standing() as stand, viewing(stand) as (view, pilot):
        await two_alerts(stand)
        await until(pilot, lambda: len(view.rows.items) == 2)
        await pilot.press("slash", *"CRITICAL", "space", *"site=berlin", "enter")
        await until(pilot, lambda: [each["alertname"] for each in view.rows.items] == ["Second"])
        await until(pilot, lambda: "filter: critical site=berlin" in said(view))
        await pilot.press("escape")
        await until(pilot, lambda: len(view.rows.items) == 2)


async def test_p_lets_the_tables_stand_still_while_the_hub_is_heard_on():
    async with standing() as stand, viewing(stand) as (view, pilot):
        await two_alerts(stand)
        await until(pilot, lambda: len(view.rows.items) == 2)
        await pilot.press("p")
        await until(pilot, lambda: view.paused)
        await stand.say("alert", alert("Third", mark="00000000000000a3"))
        await until(pilot, lambda: len(view.model.alerts) == 3)
        await pilot.pause(0.6)
        assert len(view.rows.items) == 2
        await until(pilot, lambda: "PAUSED" in screen(view)[0])
        await pilot.press("p")
        await until(pilot, lambda: len(view.rows.items) == 3)


async def test_keys_and_the_mouse_lead_to_every_screen():
    async with standing() as stand, viewing(stand) as (view, pilot):
        for number, name in enumerate(NAMES, 1):
            await pilot.press(str(number))
            await until(pilot, lambda name=name: view.tab == name and view.rows.has_focus)
        await pilot.press("tab")
        await until(pilot, lambda: (view.tab, view.rows.id) == ("deliveries", "rows-deliveries-1"))
        await pilot.press("tab")
        await until(pilot, lambda: view.tab == "alerts")
        await pilot.press("shift+tab")
        await until(pilot, lambda: view.tab == "deliveries")
        await pilot.click("#tabs Tab#--content-tab-devices")
        await until(pilot, lambda: view.tab == "devices")


async def test_a_click_chooses_a_row_and_a_second_one_opens_it():
    async with standing() as stand, viewing(stand) as (view, pilot):
        await two_alerts(stand)
        await until(pilot, lambda: len(view.rows.items) == 2)
        await pilot.click("#rows-alerts-0", offset=(5, 2))
        await until(pilot, lambda: view.rows.chosen["alertname"] == "First")
        await pilot.click("#rows-alerts-0", offset=(5, 1), times=2)
        await until(pilot, lambda: re.search(r"alertname +Second", "\n".join(screen(view))))


async def test_q_ends_the_view():
    async with standing() as stand, viewing(stand) as (view, pilot):
        await pilot.press("q")
        await until(pilot, lambda: not view.is_running)


async def test_a_hub_that_goes_away_is_said_and_what_was_missed_is_asked_for_when_it_is_back():
    async with standing() as stand, viewing(stand) as (view, pilot):
        last = await stand.say("alert", alert("First"))
        await until(pilot, lambda: view.rows.items)
        stand.shut = True
        await stand.cut()
        await until(pilot, lambda: "AWAY" in screen(view)[0] and "503" in said(view))
        stand.shut = False
        await until(pilot, lambda: stand.sockets and not view.model.away)
        assert stand.sinces == ["", last]
        assert view.rows.items
        # a hub that was started anew knows nothing of that id: everything is read again
        view.model.since = "0-99"
        stand.answers["alerts"]["alerts"] = [alert("Other", mark="00000000000000a9")]
        await stand.cut()
        await until(pilot, lambda: list(view.model.alerts) == ["00000000000000a9"])


async def test_a_hub_that_is_not_there_yet_is_said_until_it_is():
    async with standing() as stand:
        port = int(stand.url.rpartition(":")[2])
    async with linked(stand.url, None) as link:
        view = LiveView(link, "ada")
        async with view.run_test(size=(130, 24)) as pilot:
            await until(pilot, lambda: f"no hub at {stand.url}" in said(view))
            async with standing(port):
                await until(pilot, lambda: "live" in screen(view)[0])


async def test_five_thousand_events_a_second_and_a_storm_of_alerts_do_not_make_it_lag():
    async with standing() as stand, viewing(stand, (130, 40)) as (view, pilot):
        for name in NAMES:
            view.action_go(name)
            await pilot.pause()
            longest, begun = 0.0, time.perf_counter()
            for number in range(60):  # three seconds' worth of samples, each of 250 events
                await stand.say("event", {"topic": f"t/{number}", "payload": {"n": number}, "qos": 1, "skipped": 249})
                if number % 20 == 0:
                    await stand.say("figures", figures(5000.0))
                for place in range(50):
                    mark = f"{number * 50 + place:016x}"
                    await stand.say("alert", alert("Storm", mark=mark, state="firing"))
                before = time.perf_counter()
                await pilot.pause(0)
                longest = max(longest, time.perf_counter() - before)
            await until(pilot, lambda: view.model.since == f"1-{stand.number}")
            took = time.perf_counter() - begun
            assert took < 10.0, f"{name}: 3,060 messages took {took:.1f} s"
        assert len(view.model.alerts) == 3000
        assert view.model.unseen == 5 * 60 * 249
        view.action_go("events")
        await until(pilot, lambda: f"a sample: {5 * 60 * 249:,} events were not shown" in said(view))
