"""Apprise with a real HTTP listener at the other end: its JSON service, and an SMS gateway's."""

import asyncio
import io
import logging
import subprocess
import sys
import textwrap

import orjson
import pytest
from aiohttp import web
from apprise.plugins.ntfy import NotifyNtfy

from hub.documents.document import Problems, parse_document
from hub.documents.secret import Secret
from hub.limits import APPRISE_THREADS
from hub.model import Delivered, Rejected, Retry
from hub.notify.apprise_plugins.service_answers import answers
from hub.notify.receiver_settings import read_receivers
from hub.notify.receivers.apprise import Apprise, AppriseOptions
from tests.notify.fakes import notification, toolbox
from tests.notify.listener import Listener

BOUND = 20.0


@pytest.fixture
async def listener():
    async with Listener().listening() as running:
        yield running


def made(url):
    return Apprise(AppriseOptions(Secret(url)), toolbox())


async def test_a_notification_arrives_with_title_text_and_type(listener):
    receiver = made(f"json://127.0.0.1:{listener.port}/hook")
    assert await receiver.send(notification(details="Door open?")) == Delivered()
    assert await receiver.send(notification(state="resolved", until="2026-03-01T01:00:00.000Z")) == Delivered()
    firing, resolved = (orjson.loads(body) for *_, body in listener.requests)
    assert firing["title"] == "[firing] FreezerTooWarm: 7 at a is -9.0 °C"
    assert firing["message"].startswith("Door open?\n\nState: firing since 2026-03-01 00:55:00\nSeverity: critical\n")
    assert firing["type"] == "failure"
    assert resolved["type"] == "success"
    await receiver.close()


async def test_an_sms_gateway_gets_the_text_for_its_number(listener):
    listener.answers = [web.json_response({"result": {"status": "ok"}})]
    receiver = made(f"smseagle://gatewaytoken@127.0.0.1:{listener.port}/15551231234")
    assert await receiver.send(notification()) == Delivered()
    sent = orjson.loads(listener.requests[0][3])
    assert sent["params"]["to"] == "15551231234"
    assert "7 at a is -9.0 °C" in sent["params"]["message"]


async def test_a_failure_has_the_words_of_apprise_and_of_the_service_and_no_secret_anywhere(listener):
    written = io.StringIO()  # not caplog: it listens to loggers that nobody else hears
    handler = logging.StreamHandler(written)
    loggers = [logging.getLogger(name) for name in ("", "apprise", "urllib3", "requests")]
    levels = [logger.level for logger in loggers]
    logging.getLogger().addHandler(handler)
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    listener.answers = [500, web.Response(status=400, text="no pathSECRET for user:hunter2")]
    receiver = made(f"json://user:hunter2@127.0.0.1:{listener.port}/pathSECRET/?-X-Token=headSECRET")
    outcomes = [await receiver.send(notification()) for _ in range(2)]
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)
    logging.getLogger().removeHandler(handler)
    assert [type(outcome) for outcome in outcomes] == [Retry, Rejected]
    assert "error=500" in outcomes[0].reason
    assert "error=400.; no *** for ***" in outcomes[1].reason
    shown = "\n".join(
        [written.getvalue(), *(outcome.reason for outcome in outcomes), repr(AppriseOptions(Secret("x")))]
    )
    assert "SECRET" not in shown
    assert "hunter2" not in shown


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 410, 413, 415, 422])
@pytest.mark.parametrize("url", ["json://127.0.0.1:{}/", "ntfy://127.0.0.1:{}/topic", "gotify://127.0.0.1:{}/token"])
async def test_what_a_service_refuses_for_good_is_rejected(listener, url, status):
    listener.answers = [status]
    outcome = await made(url.format(listener.port)).send(notification())
    assert isinstance(outcome, Rejected)
    assert f"error={status}" in outcome.reason
    assert len(listener.requests) == 1


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
async def test_what_may_pass_is_retry(listener, status):
    listener.answers = [status]
    outcome = await made(f"json://127.0.0.1:{listener.port}/").send(notification())
    assert isinstance(outcome, Retry)
    assert outcome.perhaps == (status not in (425, 429, 503))


async def test_retry_after_is_heeded(listener):
    listener.answers = [web.Response(status=429, headers={"Retry-After": "17"})]
    outcome = await made(f"ntfy://127.0.0.1:{listener.port}/topic").send(notification())
    assert (outcome.after, outcome.perhaps) == (17.0, False)


@pytest.mark.parametrize("status", [401, 403])
async def test_a_login_that_may_have_ended_is_tried_anew_once(listener, status):
    listener.answers = [200, status, status]
    receiver = made(f"json://127.0.0.1:{listener.port}/")
    outcomes = [await receiver.send(notification(number)) for number in range(3)]
    assert [type(outcome) for outcome in outcomes] == [Delivered, Retry, Rejected]


async def test_of_several_targets_one_that_may_pass_is_tried_again_and_one_that_has_it_makes_no_retry(
    listener, monkeypatch
):
    monkeypatch.setattr(NotifyNtfy, "request_rate_per_sec", 0)  # it waits between the two
    url = f"ntfy://127.0.0.1:{listener.port}/one/two"
    listener.answers = [404, 503, 200, 404]
    assert isinstance(await made(url).send(notification()), Retry)
    assert isinstance(await made(url).send(notification()), Rejected)


async def test_a_refusal_in_a_redirect_s_end_is_what_counts(listener):
    listener.answers = [web.Response(status=307, headers={"Location": "/there"}), 410]
    assert isinstance(await made(f"json://127.0.0.1:{listener.port}/").send(notification()), Rejected)


async def test_other_requests_meanwhile_are_not_taken_for_answers(listener):
    listener.answers = ["hang", 500]
    with answers() as heard:
        receiver = made(f"json://127.0.0.1:{listener.port}/")
        sending = asyncio.create_task(receiver.send(notification(1)))
        async with asyncio.timeout(BOUND):
            while not listener.requests:
                await asyncio.sleep(0.01)
        other = await receiver.send(notification(2))
        listener.gate.set()
        assert await sending == Delivered()
    assert isinstance(other, Retry)
    assert heard == []


async def test_nobody_listening_is_retry():
    outcome = await made("json://127.0.0.1:1/").send(notification())
    assert isinstance(outcome, Retry)
    assert outcome.reason


async def test_hung_attempts_use_up_their_own_receivers_threads_and_nobody_elses(listener):
    listener.answers = ["hang"] * APPRISE_THREADS
    hung, other = made(f"json://127.0.0.1:{listener.port}/"), made(f"json://127.0.0.1:{listener.port}/")
    for number in range(APPRISE_THREADS):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(hung.send(notification(number)), 0.1)
    assert await hung.send(notification(9)) == Retry(f"{APPRISE_THREADS} earlier attempts still hang")
    async with asyncio.timeout(BOUND):
        while len(listener.requests) < APPRISE_THREADS:
            await asyncio.sleep(0.01)
    assert await asyncio.wait_for(other.send(notification()), BOUND) == Delivered()
    listener.gate.set()
    async with asyncio.timeout(BOUND):
        while await hung.send(notification(10)) != Delivered():
            await asyncio.sleep(0.01)


def test_a_hung_thread_does_not_keep_the_process_from_ending():
    program = """
        import asyncio, threading
        from hub.notify.outward.threads import Threads
        async def main():
            Threads("hung", 1).run(threading.Event().wait)
        asyncio.run(main())
        print("over", flush=True)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, timeout=BOUND, check=True
    )
    assert done.stdout == b"over\n"


def problems_of(text):
    problems = Problems()
    settings = read_receivers(parse_document(text, "r.yaml", problems), problems)
    return settings, [str(problem) for problem in problems]


def test_an_unknown_service_gets_a_did_you_mean_and_its_place():
    _, found = problems_of("chat: slak://tokenA/tokenB")
    assert found == ["r.yaml:1:7: Apprise knows no service slak:// (did you mean 'slack://'?)"]


@pytest.mark.parametrize("url", ["'notokenhere'", "slack://badSECRET", "twilio://SECRETsid:SECRETtoken@nonumber", "''"])
def test_a_url_that_cannot_be_used_is_a_problem_without_the_url(url):
    _, found = problems_of(f"chat: {url}")
    assert len(found) == 1
    assert found[0].startswith("r.yaml:1:")
    for part in ("SECRET", "notokenhere"):
        assert part not in found[0]


def test_a_url_from_the_environment_or_beside_common_keys_is_read_too(monkeypatch):
    monkeypatch.setenv("CHAT_URL", "json://localhost/xSECRET")
    settings, found = problems_of("a: !env CHAT_URL\nb: {apprise: !env CHAT_URL, timeout: 5s, send_resolved: false}\n")
    assert found == []
    assert settings["a"].options == settings["b"].options == AppriseOptions(Secret("json://localhost/xSECRET"))
    assert (settings["b"].timeout, settings["b"].send_resolved) == (5.0, False)
    assert settings["a"].kind == "apprise"
    assert "SECRET" not in repr(settings)
