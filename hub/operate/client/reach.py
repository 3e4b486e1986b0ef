"""Chooses how the command line reaches a running hub: over its broker (MQTT 5), or over HTTP if a URL is given.

MQTT 3.1.1 has no response topic: if hub.yaml says `protocol: 3.1.1`, the hub is asked over HTTP even without a URL.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import typer

from hub.documents.document import Problems, parse_document
from hub.documents.secret import Secret
from hub.errors import ConfigError, SessionError
from hub.ingest.mqtt.session import BrokerSettings
from hub.settings.http_settings import HttpSettings
from hub.settings.reach_settings import load_http, load_reach

__all__ = ["NoAnswer", "Reach", "ReachedByBroker", "reach_of", "secret_of", "url_of"]


class NoAnswer(SessionError):
    """No hub answered in time, or there is no way to ask one."""


class ReachedByBroker(Protocol):
    """What asking over MQTT needs of the settings; `Settings` and the smaller `ReachSettings` both have it."""

    @property
    def broker(self) -> BrokerSettings:
        """The broker's address, and the user that asks."""

    @property
    def publish_prefix(self) -> str:
        """The beginning of the hub's own topics."""

    @property
    def path(self) -> Path | None:
        """The hub.yaml that has all of it; None where there is none."""


@dataclass(frozen=True, slots=True)
class Reach:
    """The way that was chosen: HTTP at `url` with `token`, or, if there is no URL, the broker of `settings`."""

    settings: ReachedByBroker | None
    url: str = ""
    token: Secret | None = None


def reach_of(config: Path | None, broker: str | None, url: str | None, token: str | None) -> Reach:
    """Choose the way: an option's URL; else the broker; else, with MQTT 3.1.1, the HTTP address in hub.yaml.

    Raises:
        ConfigError: the settings or the token cannot be read.
        NoAnswer: the broker is for MQTT 3.1.1, and hub.yaml has no HTTP address.

    """
    if url is not None and broker is not None:
        raise typer.BadParameter("--url and --broker are two ways to the same hub: give one of them")
    secret = secret_of(token) if token else None
    if url is not None:
        return Reach(None, _checked(url), secret)
    settings = load_reach(config, broker)
    if settings.broker.protocol == "5":
        return Reach(settings)
    # --broker may name another hub's broker, and port 0 is whichever was free: then hub.yaml does not know the address
    if broker is None and settings.http.enabled and settings.http.port:
        return Reach(settings, _address(settings.http), secret)
    raise NoAnswer(
        "no hub answers over MQTT 3.1.1 (broker.protocol), which has no response topics: ask it over HTTP, with --url"
        " http://HOST:PORT and, if it wants one, --token; the address is http.listen in its hub.yaml"
    )


def url_of(config: Path | None, url: str | None) -> str:
    """Return the hub's HTTP address: that of the option, else that in the settings."""
    return _address(load_http(config)) if url is None else _checked(url)


def _checked(url: str) -> str:
    """Return the URL of --url, if it is one of HTTP."""
    if not url.startswith(("http://", "https://")):
        raise typer.BadParameter(f"--url: {url!r} is not http://… or https://…")
    return url


def _address(settings: HttpSettings) -> str:
    """Return the address of a hub with these settings, as seen from this machine."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104 - not bound here
    scheme = "https" if settings.cert else "http"
    return settings.url or f"{scheme}://{f'[{host}]' if ':' in host else host}:{settings.port}"


def secret_of(text: str) -> Secret:
    """Return the token of --token: the text itself, or what `!env NAME` or `!file PATH` names.

    Raises:
        ConfigError: there is no such variable or file.

    """
    if not text.startswith(("!env ", "!file ")):
        return Secret(text)
    problems = Problems()
    document = parse_document(text, "--token", problems)
    if problems or document is None or not isinstance(document.value, Secret):
        raise ConfigError(problems)
    return document.value
