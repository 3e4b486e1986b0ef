"""What a URL of Apprise asks for and this installation cannot do is refused when it is read, and never left out."""

import re
import subprocess
import sys
from types import SimpleNamespace

import apprise
import apprise.utils.pgp
import orjson
import pytest
from aiohttp import web
from apprise.manager_plugins import NotificationManager
from apprise.plugins.pushover import NotifyPushover

import hub.notify.lanes.channel
from hub.documents.document import Problems, parse_document
from hub.model import Delivered, Retry
from hub.notify.apprise_plugins.needs import keep_closed, lack_of_plugin, lack_said
from hub.notify.receiver_settings import read_receivers
from hub.notify.receivers.apprise import Apprise
from tests.notify.fakes import Scripted, notification, settings, toolbox
from tests.notify.listener import Listener
from tests.notify.test_dispatcher import Stand

USER, TOKEN, KEY = "u" * 30, "t" * 30, "c" * 64
EXTRA = "pip install 'mqtt-notification-hub[encryption]'"
# The plug-ins of Apprise that import a package if it is there; a new one shows up here, to be looked at.
OPTIONAL = {
    *("amqp.v091", "amqp.v10", "bark", "blink1", "dbus", "fcm", "glib", "gnome", "growl", "matrix.e2ee", "mqtt"),
    *("nostr.crypto", "pushover", "pushward", "simplepush", "smpp", "sogs", "vapid.subscription", "windows"),
    "xmpp.adapter",
}


def read(url):
    problems = Problems()
    found = read_receivers(parse_document(f"phone: '{url}'", "r.yaml", problems), problems)
    return found["phone"].options, [str(problem) for problem in problems]


def module_of(scheme):
    return sys.modules[NotificationManager()[scheme].__module__]


ASKS = [
    ("pover", "PUSHOVER_E2EE_SUPPORT", f"pover://{USER}@{TOKEN}?key={KEY}"),
    ("pover", "PUSHOVER_E2EE_SUPPORT", f"pover://{USER}@{TOKEN}?key={KEY}&e2ee=yes"),
    ("matrixs", "MATRIX_E2EE_SUPPORT", "matrixs://me:pw@matrix.example/%23room?e2ee=yes"),
    ("matrixs", "MATRIX_E2EE_SUPPORT", "matrixs://me:pw@matrix.example/%23room"),
    ("bark", "BARK_AESGCM_SUPPORT", "bark://bark.example/device?key=0123456789abcdef"),
    ("spush", "NOTIFY_SIMPLEPUSH_ENCRYPTION", "spush://pw@HPAPI/topic"),
    ("nostr", "NOSTR_CRYPTOGRAPHY_SUPPORT", f"nostr://{'1' * 64}/{'2' * 64}"),
]


@pytest.mark.parametrize(("scheme", "flag", "url"), ASKS)
def test_encryption_that_this_installation_cannot_do_is_refused_with_its_place_and_the_extra(
    monkeypatch, scheme, flag, url
):
    monkeypatch.setattr(module_of(scheme), flag, False)
    _, problems = read(url)
    assert len(problems) == 1
    assert problems[0].startswith(f"r.yaml:1:9: Apprise cannot do what this {scheme}:// URL asks for: ")
    assert "is not installed" in problems[0]
    assert EXTRA in problems[0]
    assert "pw@" not in problems[0]
    assert KEY not in problems[0]


@pytest.mark.parametrize(("scheme", "flag", "url"), ASKS)
def test_where_it_can_do_it_the_url_is_taken(monkeypatch, scheme, flag, url):
    if scheme in ("spush", "nostr", "bark"):
        monkeypatch.setattr(module_of(scheme), flag, True)
    assert read(url)[1] == []


@pytest.mark.parametrize(
    "url",
    [
        f"pover://{USER}@{TOKEN}",
        f"pover://{USER}@{TOKEN}?key={KEY}&e2ee=no",
        "matrixs://me:pw@matrix.example/%23room?e2ee=no",
        "matrix://me:pw@matrix.example/%23room",
        "matrixs://token@matrix.example?mode=slack",
        "mailto://me:pw@example.org",
        "mailto://me:pw@example.org?pgp=no",
        "bark://bark.example/device",
    ],
)
def test_a_url_that_asks_for_none_needs_none(monkeypatch, url):
    monkeypatch.setattr(module_of("pover"), "PUSHOVER_E2EE_SUPPORT", False)
    monkeypatch.setattr(module_of("matrixs"), "MATRIX_E2EE_SUPPORT", False)
    monkeypatch.setattr(module_of("bark"), "BARK_AESGCM_SUPPORT", False)
    monkeypatch.setattr(apprise.utils.pgp, "PGP_SUPPORT", False)
    assert read(url)[1] == []


@pytest.mark.parametrize("mode", ["sign", "encrypt"])
@pytest.mark.parametrize("scheme", ["mailto", "mailtos", "deltachat"])
def test_pgp_without_the_package_is_refused(monkeypatch, scheme, mode):
    monkeypatch.setattr(apprise.utils.pgp, "PGP_SUPPORT", False)
    _, problems = read(f"{scheme}://me:pw@example.org/you@example.org?pgp={mode}")
    why = f"Apprise cannot do what this {scheme}:// URL asks for: PGP needs PGPy, which is not installed"
    assert problems == [f"r.yaml:1:9: {why} (pip install 'mqtt-notification-hub[pgp]')"]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (f"pover://{USER}@{TOKEN}?e2ee=yes", "it asks for end-to-end encryption (e2ee) and has no key"),
        ("matrix://me:pw@matrix.example/%23room?e2ee=yes", "end-to-end encryption (e2ee) needs TLS"),
        ("matrix://me:pw@matrix.example/%23room?autoverify=yes", "end-to-end encryption (e2ee) needs TLS"),
    ],
)
def test_encryption_that_cannot_be_had_in_this_way_is_refused(url, expected):
    assert expected in read(url)[1][0]


def test_a_service_whose_package_is_missing_names_it(monkeypatch):
    for scheme in ("fcm", "vapid", "mqtt"):
        monkeypatch.setattr(NotificationManager()[scheme], "enabled", False)
    assert read("fcm://project/device")[1] == [
        f"r.yaml:1:9: fcm:// needs cryptography, which is not installed ({EXTRA})"
    ]
    assert read("vapid://a@example.org/x")[1][0].endswith(f"({EXTRA})")
    assert read("mqtt://h/t")[1][0].endswith("mqtt:// needs paho-mqtt, which is not installed (pip install paho-mqtt)")


def test_each_service_that_does_not_work_here_says_why():
    for scheme in NotificationManager().schemas():
        plugin = NotificationManager()[scheme]
        lack = lack_of_plugin(scheme, plugin)
        assert (lack is None) == bool(plugin.enabled), scheme
        assert lack is None or re.fullmatch(
            rf"{scheme}:// (needs .+, which is not installed|does not work .+)", lack.what
        )


def test_all_plugins_that_import_what_may_be_missing_are_known():
    folder = re.sub(r"__init__\.py$", "plugins", apprise.__file__)
    found = subprocess.run(
        ["grep", "-rlE", "^except .*ImportError|^    except .*ImportError", folder, "--include=*.py"],
        capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    names = {
        path.removeprefix(f"{folder}/").removesuffix(".py").replace("/", ".").removesuffix(".__init__")
        for path in found
    }
    assert names <= OPTIONAL, "look what it does without its package, and add it to apprise_needs"


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("Bark encryption requires the 'cryptography' package. Install …", "it needs cryptography, which is not"),
        ("Encrypted Simplepush sends require PyNaCl to be installed.", "it needs PyNaCl, which is not installed"),
        ("AMQP 0.9.1 requires the pika package; install it with: pip install pika", "it needs pika, which is not"),
        ("X E2EE setup failed; messages will be sent unencrypted.", "X E2EE setup failed; "),
    ],
)  # fmt: skip
def test_what_a_plugin_says_at_load_is_understood(line, what):
    assert lack_said(["harmless", line]).what.startswith(what)


def test_other_warnings_are_no_lack():
    assert lack_said(["The specified Bark level (x) is not valid", "Dropped invalid email"]) is None


def test_matrix_fails_where_the_encryption_that_was_asked_for_cannot_be_set_up():
    made = SimpleNamespace(_e2ee_setup=lambda: False)
    keep_closed(made, {"qsd": {"e2ee": "yes"}})
    with pytest.raises(RuntimeError, match="cannot be set up"):
        made._e2ee_setup()
    made = SimpleNamespace(_e2ee_setup=lambda: True)
    keep_closed(made, {"qsd": {"autoverify": "yes"}})
    assert made._e2ee_setup() is True
    made = SimpleNamespace(_e2ee_setup=lambda: False)
    keep_closed(made, {"qsd": {}})
    assert made._e2ee_setup() is False


@pytest.fixture
async def listener():
    async with Listener().listening() as running:
        yield running


async def test_an_encrypted_pushover_url_never_goes_out_in_plain_text(monkeypatch, listener):
    """Neither when it is read nor when the package has gone since."""
    url = f"pover://{USER}@{TOKEN}?key={KEY}"
    monkeypatch.setattr(NotifyPushover, "notify_url", f"http://127.0.0.1:{listener.port}/1/messages.json")
    options, problems = read(url)
    assert problems == []
    listener.answers = [web.json_response({"status": 1})]
    receiver = Apprise(options, toolbox())
    assert await receiver.send(notification()) == Delivered()
    assert b"FreezerTooWarm" not in listener.requests[0][3]
    assert b"encrypted" in listener.requests[0][3]
    monkeypatch.setattr(module_of("pover"), "PUSHOVER_E2EE_SUPPORT", False)
    assert read(url)[1] != []
    gone = Apprise(options, toolbox())
    outcome = await gone.send(notification())
    assert outcome == Retry("Apprise cannot use this URL any more")
    assert len(listener.requests) == 1


async def test_what_apprise_warns_of_in_a_delivery_that_works_is_told_once_and_without_secrets(monkeypatch, listener):
    real = NotifyPushover.send

    def warning(self, *args, **named):
        self.logger.warning("the key %s is old", self.token)
        return real(self, *args, **named)

    monkeypatch.setattr(NotifyPushover, "send", warning)
    monkeypatch.setattr(NotifyPushover, "notify_url", f"http://127.0.0.1:{listener.port}/1/messages.json")
    monkeypatch.setattr(NotifyPushover, "request_rate_per_sec", 0)
    listener.answers = [web.json_response({"status": 1}) for _ in range(3)]
    options, _ = read(f"pover://{USER}@{TOKEN}")
    stand = Stand(chat=(settings("chat"), Apprise(options, toolbox())))
    told = []
    stand.observer.trouble = lambda what, message: told.append((what, message))
    async with stand.running():
        stand.offer(*(notification(n) for n in range(1, 4)))
        await stand.idle()
    assert stand.outbox.states() == ["delivered"] * 3
    assert told == [("receiver chat", "the key *** is old")]


async def test_only_so_many_warnings_of_a_receiver_are_told_and_a_new_one_begins_anew(monkeypatch):
    monkeypatch.setattr(hub.notify.lanes.channel, "RECEIVER_NOTES", 2)
    stand = Stand(chat=Scripted(*(Delivered(note) for note in ("a", "b", "a", "c", "d"))))
    told = []
    stand.observer.trouble = lambda _, message: told.append(message)
    async with stand.running():
        stand.offer(*(notification(n) for n in range(1, 6)))
        await stand.idle()
        assert told == ["a", "b"]
        stand.dispatcher.reload({"chat": (settings("chat"), Scripted(Delivered("a")))})
        stand.offer(notification(9))
        await stand.idle()
    assert told == ["a", "b", "a"]


async def test_what_apprise_warned_of_when_it_read_the_url_is_told_with_the_first_delivery(listener):
    options, problems = read(f"bark://127.0.0.1:{listener.port}/device?level=loud")
    assert problems == []
    listener.answers = [web.Response(body=orjson.dumps({"code": 200}), content_type="application/json")]
    outcome = await Apprise(options, toolbox()).send(notification())
    assert isinstance(outcome, Delivered)
    assert outcome.note.startswith("The specified Bark ")
