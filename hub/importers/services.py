"""Turns targets of mqttwarn's services into receivers: one function per service knows what its addresses mean."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from hub.errors import CompileError
from hub.expressions import Scope, compile_topic
from hub.importers.draft import Draft, DraftEntry, Env, Value
from hub.importers.pyformat import convert
from hub.ingest.topics import check_topic

__all__ = ["MAKERS", "ImportTarget", "NotCarried", "publishable"]

_MAIL = re.compile(r"[^@\s<>]+@[^@\s<>]+|[^<>@]*<[^@\s<>]+@[^@\s<>]+>")


class NotCarried(Exception):  # a way out of a maker, not an error that leaves this package
    """The hub has no receiver for this target; the message tells the user why."""


@dataclass(frozen=True, slots=True)
class ImportTarget:
    """One entry of a service's `targets`. `config` is the service's section, `address` the value of the entry."""

    draft: Draft
    name: str
    config: Mapping[str, Any]
    address: Any

    def at(self, number: int, key: str = "") -> str:
        """Return a part of the address as text: an item of a list, or a key of a mapping; "" where there is none."""
        if isinstance(self.address, Mapping):
            return _plain(self.address.get(key))
        items = self.address if isinstance(self.address, (list, tuple)) else [self.address]
        return _plain(items[number]) if number < len(items) else ""

    def option(self, key: str) -> str:
        """Return an option of the service as text; "" where it is absent or None."""
        return _plain(self.config.get(key))

    def apprise(self, url: str) -> Env:
        """Return a receiver by Apprise. Its URL holds secrets, so the user sets a variable; `url` says to what."""
        return self.draft.variable(self.name, "url", holds=url)


Maker = Callable[[ImportTarget], list[DraftEntry | Env]]


def _plain(value: Any) -> str:
    return "" if value is None else str(value)


def _part(text: str) -> str:
    """Return a text quoted as a part of a URL."""
    return quote(text, safe="@+#:")


def _host(url: str) -> tuple[str, str]:
    """Return the host of a URL with its port, and its path; user and password are left out, as they are secrets."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        raise NotCarried("its address is no URL") from None
    if not parts.hostname:
        raise NotCarried("its address is no URL")
    return f"{parts.hostname}{port}", parts.path.strip("/")


def _file(target: ImportTarget) -> list[DraftEntry | Env]:
    path = target.at(0, "path")
    if not path:
        raise NotCarried("it names no file")
    entry = DraftEntry({"file": {"path": path}})
    entry.comments.append("One JSON line for each notification; its folder must exist.")
    return [entry]


def _smtp(target: ImportTarget) -> list[DraftEntry | Env]:
    host, _, port = (
        target.option("server").rpartition(":") if ":" in target.option("server") else (target.option("server"), "", "")
    )
    to = [target.at(number) for number in range(_count(target.address))]
    sender = target.option("sender")
    if not host or not to or not all(_MAIL.fullmatch(each) for each in (sender, *to)):
        raise NotCarried("it needs a server, a sender and recipients that are mail addresses")
    tls = "tls" if port == "465" else "starttls" if target.config.get("starttls") is True else "none"
    mail: dict[str, Value] = {"host": host, "tls": tls}
    if port.isdigit():
        mail["port"] = int(port)
    if target.option("username"):
        mail["username"] = target.option("username")
        mail["password"] = target.draft.variable(target.name, "password", holds="the password of the mail server")
    return [DraftEntry({"smtp": {**mail, "from": sender, "to": to}})]


def _count(address: Any) -> int:
    return len(address) if isinstance(address, (list, tuple)) else 1


def _mqttpub(target: ImportTarget) -> list[DraftEntry | Env]:
    return [_publish(target.at(0), target.at(1) or "0", target.at(2))]


def _mqtt(target: ImportTarget) -> list[DraftEntry | Env]:
    if target.at(1):
        raise NotCarried(f"it publishes to the broker of {target.at(1)}; the hub publishes to its own")
    if target.option("hostname") not in ("", "localhost", "127.0.0.1", target.option("own_broker")):
        raise NotCarried(f"it publishes to the broker {target.option('hostname')}; the hub publishes to its own")
    return [_publish(target.at(0), target.option("qos") or "0", target.option("retain"))]


def _publish(written: str, qos: str, retain: str) -> DraftEntry:
    """Make a receiver that publishes the text. QoS 0 is carried over; else the hub's default counts."""
    topic, lost = convert(written, bare=False)
    if lost or not publishable(topic):
        raise NotCarried("its topic cannot be carried over: the first level must be fixed, and + and # are for rules")
    keys: dict[str, Value] = {"topic": topic, "payload": "{details == '' ? summary : details}"}
    if qos == "0":
        keys["qos"] = 0
    if retain == "True":
        keys["retain"] = True
    return DraftEntry({"mqtt": keys})


def publishable(topic: str) -> bool:
    """Tell whether a receiver may publish to a topic: its first level must be fixed, so that loops can be found."""
    first, _, rest = topic.partition("/")
    try:
        filled = compile_topic(topic, Scope()).filter.replace("+", "x")
    except CompileError:
        return False
    return "{" not in first and "}" not in first and bool(rest or first) and check_topic(filled) is None


def _http(target: ImportTarget) -> list[DraftEntry | Env]:
    method, url = target.at(0).upper(), target.at(1)
    if method != "POST":
        raise NotCarried(
            f"it is a {method or 'request without a method'}; the hub's webhook sends JSON by POST, PUT, PATCH"
        )
    if "{" in url:
        raise NotCarried("its URL is filled in for each message; a webhook has one URL")
    host, _ = _host(url)
    keys: dict[str, Value] = {"url": target.draft.variable(target.name, "url", holds=f"the URL at {host}")}
    entry = DraftEntry({"webhook": keys})
    if target.at(2):
        entry.comments.append("The body is the notification as JSON; the parameters were: " + ", ".join(_names(target)))
    if target.at(3):
        holds = "Basic and base64 of user:password"
        keys["headers"] = {"Authorization": target.draft.variable(target.name, "authorization", holds=holds)}
    return [entry]


def _names(target: ImportTarget) -> list[str]:
    parameters = target.address[2] if isinstance(target.address, (list, tuple)) else None
    return [str(name) for name in parameters] if isinstance(parameters, Mapping) else ["none"]


def _twilio(target: ImportTarget) -> list[DraftEntry | Env]:
    return [target.apprise(f"twilio://ACCOUNT_SID:AUTH_TOKEN@{_part(target.at(2))}/{_part(target.at(3))}")]


def _pushover(target: ImportTarget) -> list[DraftEntry | Env]:
    devices = "/".join(_part(each.strip()) for each in target.at(3).split(",")) if target.at(3) else ""
    sound = f"?sound={_part(target.at(2))}" if target.at(2) else ""
    return [target.apprise(f"pover://USER_KEY@APP_KEY/{devices}{sound}")]


def _telegram(target: ImportTarget) -> list[DraftEntry | Env]:
    chat = target.at(0)
    if target.config.get("use_chat_id") is not True and not chat.startswith("#"):
        return [target.apprise(f"tgram://BOT_TOKEN/CHAT_ID (the chat id of {chat or 'the chat'})")]
    return [target.apprise(f"tgram://BOT_TOKEN/{_part(chat.lstrip('#'))}")]


def _slack(target: ImportTarget) -> list[DraftEntry | Env]:
    channel = target.at(0) if target.at(0)[:1] in ("#", "@") else target.at(1)
    return [target.apprise(f"slack://BOT_TOKEN/{_part(channel)}")]


def _ntfy(target: ImportTarget) -> list[DraftEntry | Env]:
    url = target.at(0, "url")
    host, topic = _host(url)
    secure = "ntfys" if url.startswith("https") else "ntfy"
    user = "USER:PASSWORD@" if "@" in urlsplit(url).netloc else ""
    return [target.apprise(f"{secure}://{user}{host}/{topic}")]


def _mattermost(target: ImportTarget) -> list[DraftEntry | Env]:
    host, _ = _host(target.at(0))
    secure = "mmosts" if target.at(0).startswith("https") else "mmost"
    channel = f"?channel={_part(target.at(1))}" if target.at(1) else ""
    return [target.apprise(f"{secure}://{host}/HOOK_TOKEN{channel}")]


def _pushbullet(target: ImportTarget) -> list[DraftEntry | Env]:
    return [target.apprise(f"pbul://API_KEY/{_part(target.at(1))}")]


def _prowl(target: ImportTarget) -> list[DraftEntry | Env]:
    return [target.apprise("prowl://API_KEY")]


def _pushsafer(target: ImportTarget) -> list[DraftEntry | Env]:
    return [target.apprise(f"psafer://PRIVATE_KEY/{_part(target.at(1, 'device'))}")]


def _ifttt(target: ImportTarget) -> list[DraftEntry | Env]:
    return [target.apprise(f"ifttt://API_KEY@{_part(target.at(1))}")]


def _syslog(target: ImportTarget) -> list[DraftEntry | Env]:
    return [target.apprise(f"syslog://{_part(target.at(0))}")]


def _xbmc(target: ImportTarget) -> list[DraftEntry | Env]:
    user = "USER:PASSWORD@" if target.at(1) else ""
    return [target.apprise(f"kodi://{user}{_part(target.at(0))}")]


def _apprise_single(target: ImportTarget) -> list[DraftEntry | Env]:
    to = ",".join(_part(target.at(number)) for number in range(_count(target.address)) if target.at(number))
    return [target.apprise(_apprise_url(target.option("baseuri"), to, target.option("sender")))]


def _apprise_multi(target: ImportTarget) -> list[DraftEntry | Env]:
    parts = target.address if isinstance(target.address, (list, tuple)) else [target.address]
    urls: list[DraftEntry | Env] = []
    for part in parts:
        address = part if isinstance(part, Mapping) else {"baseuri": part}
        recipients = address.get("recipients") or ()
        to = ",".join(_part(str(each)) for each in recipients) if isinstance(recipients, (list, tuple)) else ""
        urls.append(target.apprise(_apprise_url(_plain(address.get("baseuri")), to, _plain(address.get("sender")))))
    return urls


def _apprise_url(base: str, to: str, sender: str) -> str:
    """Say which URL the user has to set. Of the baseuri only the scheme is shown: the rest may be a secret."""
    scheme, _, rest = base.partition("://")
    if not rest:
        raise NotCarried("it has no Apprise URL (baseuri)")
    more = "&".join(filter(None, (f"to={to}" if to else "", f"from={_part(sender)}" if sender else "")))
    return f"{scheme}://… (the baseuri{f', with ?{more} behind it' if more else ''})"


MAKERS: dict[str, Maker] = {
    "file": _file,
    "smtp": _smtp,
    "mqtt": _mqtt,
    "mqttpub": _mqttpub,
    "http": _http,
    "http_urllib": _http,
    "twilio": _twilio,
    "pushover": _pushover,
    "telegram": _telegram,
    "slack": _slack,
    "ntfy": _ntfy,
    "mattermost": _mattermost,
    "pushbullet": _pushbullet,
    "prowl": _prowl,
    "pushsafer": _pushsafer,
    "ifttt": _ifttt,
    "syslog": _syslog,
    "xbmc": _xbmc,
    "apprise": _apprise_single,
    "apprise_single": _apprise_single,
    "apprise_multi": _apprise_multi,
}
"""The functions by the module of the service."""
