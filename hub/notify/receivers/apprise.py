"""Receiver `apprise`: any URL that the Apprise library knows, for chat, SMS, push and a hundred other services.

This module is imported when the first such receiver is read, never otherwise: Apprise costs 0.4 s and 45 MB. Apprise is
blocking code of many authors, so each attempt has a daemon thread and a plug-in object to itself, and nothing that it
logs goes anywhere but, redacted, into the reason of a failure.
"""

import re
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import apprise
from apprise.manager_plugins import NotificationManager
from apprise.plugins import url_to_dict

from hub.documents.document import Node
from hub.documents.secret import Secret
from hub.fields import Bad, Section, did_you_mean, secret
from hub.limits import APPRISE_THREADS
from hub.model import Delivered, Notification, Outcome, Rejected, Retry
from hub.notify.apprise_plugins.known_services import loudness, message_of
from hub.notify.apprise_plugins.logs import AppriseLog
from hub.notify.apprise_plugins.needs import keep_closed, lack_of_plugin, lack_of_service, lack_said
from hub.notify.apprise_plugins.service_answers import answers, judge
from hub.notify.client_keys import APPRISE, APPRISE_URL
from hub.notify.outward.threads import Threads, ThreadsBusy
from hub.notify.receiver import Toolbox
from hub.notify.wording.fitting import compose
from hub.notify.wording.level import level_of
from hub.notify.wording.redact import Redactor, url_secrets

__all__ = ["Apprise", "AppriseOptions"]

_MANAGER = NotificationManager()  # type: ignore[no-untyped-call]
_SCHEME = re.compile(r"([a-zA-Z0-9+.-]{1,32})://")
_ASSET = apprise.AppriseAsset(async_mode=False, app_id="Hub", app_desc="MQTT notification hub")
_LOGGED_OUT = {401, 403}
_TYPES = {
    "critical": apprise.NotifyType.FAILURE,
    "warning": apprise.NotifyType.WARNING,
    "info": apprise.NotifyType.INFO,
    "resolved": apprise.NotifyType.SUCCESS,
}


@dataclass(frozen=True, slots=True)
class AppriseOptions:
    """The URL is secret as a whole: the token is somewhere in it, where depends on the service."""

    url: Secret
    note: str = field(default="", compare=False)
    """What Apprise warned of when it read the URL; told with the first delivery."""


class Apprise:
    """Sends title and text through one Apprise URL."""

    keys = APPRISE
    concurrency = APPRISE_THREADS

    def __init__(self, options: AppriseOptions, toolbox: Toolbox) -> None:
        """Know the URL; plug-in objects are made on the threads."""
        self._url, self._note, self._clock = options.url, options.note, toolbox.clock
        self._redact = Redactor(url_secrets(options.url.reveal(), host=True))
        self._threads = Threads("hub-apprise", APPRISE_THREADS)
        # of each loudness one for each thread that was at work at once; hung ones never return
        self._spare: defaultdict[str, list[apprise.NotifyBase]] = defaultdict(list)

    @classmethod
    def read(cls, section: Section) -> AppriseOptions:
        """Take the URL; Apprise says what it can do with it."""
        options: AppriseOptions = section.take(APPRISE_URL, _url, AppriseOptions(Secret("")))
        return options

    async def send(self, notification: Notification) -> Outcome:
        """Try once."""
        try:
            return await self._threads.run(partial(self._send, notification))
        except ThreadsBusy as error:
            return Retry(str(error), perhaps=False)

    async def close(self) -> None:
        """Forget the plug-in objects; threads that hang are left to themselves."""
        self._spare.clear()

    # on the threads

    def _send(self, notification: Notification) -> Outcome:
        body, level = notification.body, level_of(notification.body)
        given: dict[str, Any] = url_to_dict(self._url.reveal()) or {}  # type: ignore[no-untyped-call]
        louder = loudness(_MANAGER[given["schema"]], given, level) if given else {}
        spare = self._spare[repr(louder)]
        used = _taken(spare)
        plugin = apprise.Apprise.instantiate({**given, **louder}, asset=_ASSET) if used is None else used
        if plugin is None or lack_of_service(plugin, given):  # it could when the file was read; a library may have gone
            return Retry("Apprise cannot use this URL any more", perhaps=False)
        if used is None:
            keep_closed(plugin, given)
        message = message_of(plugin, asked=bool(given["qsd"].get("overflow")))
        title, text = compose(body, message.form, message.room)
        service = apprise.Apprise(asset=_ASSET)
        service.add(plugin)
        with answers() as heard:
            try:
                result = service.notify(body=text, title=title, notify_type=_TYPES[level], body_format=message.declared)
            except Exception as error:  # noqa: BLE001 - plug-ins of many authors: what they raise may hold the URL
                return Retry(f"Apprise raised {type(error).__name__}")
        spare.append(plugin)
        if result:
            return Delivered(self._redact("; ".join(filter(None, (self._note, _warnings(result))))))
        said = "; ".join(dict.fromkeys(entry.message for entry in result.logs()))
        outcome = judge(heard, said, self._redact, self._clock.now())
        if isinstance(outcome, Rejected) and used is not None and any(answer.status in _LOGGED_OUT for answer in heard):
            spare.clear()  # a plug-in may hold a login that has ended; a new one logs in anew, and its word counts
            return Retry(outcome.reason, after=0.0)
        return outcome


def _warnings(result: Any) -> str:
    """Return what Apprise warned of in a delivery that worked, such as that it went in the clear."""
    levels = ("WARNING", "ERROR", "CRITICAL")
    return "; ".join(dict.fromkeys(entry.message for entry in result.logs() if entry.level in levels))


def _taken(spare: list[apprise.NotifyBase]) -> apprise.NotifyBase | None:
    with suppress(IndexError):
        return spare.pop()
    return None


def _url(node: Node) -> AppriseOptions:
    whole = secret(node)
    found = _SCHEME.match(whole.reveal())
    if not found:
        raise Bad(node, "is no Apprise URL", "write it as service://…, see https://github.com/caronc/apprise/wiki")
    schemes: list[str] = _MANAGER.schemas()  # type: ignore[no-untyped-call]
    if found[1].lower() not in schemes:
        raise Bad(node, f"Apprise knows no service {found[1]}://", _near(found[1], schemes))
    lack = lack_of_plugin(found[1].lower(), _MANAGER[found[1].lower()])
    if lack is not None:
        raise Bad(node, lack.what, lack.remedy)
    with AppriseLog() as said:
        service = apprise.Apprise.instantiate(whole.reveal(), asset=_ASSET)
    redact = Redactor(url_secrets(whole.reveal(), host=True))
    given: dict[str, Any] = url_to_dict(whole.reveal()) or {}  # type: ignore[no-untyped-call]
    lack = (lack_of_service(service, given) if service else None) or lack_said(map(redact, said.lines))
    if lack is not None:
        raise Bad(node, f"Apprise cannot do what this {found[1]}:// URL asks for: {lack.what}", lack.remedy)
    heard = redact("; ".join(dict.fromkeys(said.lines)))
    if service is None:
        raise Bad(node, f"Apprise cannot use this {found[1]}:// URL", heard)
    return AppriseOptions(whole, heard)


def _near(scheme: str, schemes: list[str]) -> str:
    return did_you_mean(scheme.lower(), schemes).replace("'?", "://'?")
