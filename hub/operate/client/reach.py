"""How the command line reaches a running hub: over its broker (MQTT 5), or over its HTTP interface where one is named.

MQTT 3.1.1 has no response topic, so where hub.yaml says `protocol: 3.1.1` the hub is asked over HTTP by itself.
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
    """No hub answered, or there is no way by which one could."""


class ReachedByBroker(Protocol):
    """What of settings is needed to ask over MQTT: all of hub.yaml has it, and so has the part read for one request."""

    @property
    def broker(self) -> BrokerSettings:
        """How the broker is reached, and who asks."""

    @property
    def publish_prefix(self) -> str:
        """What topics of the hub begin with."""


@dataclass(frozen=True, slots=True)
class Reach:
    """Over HTTP at `url`, with `token` where the hub wants one; without a URL over the broker of `settings`."""

    settings: ReachedByBroker | None
    url: str = ""
    token: Secret | None = None


def reach_of(config: Path | None, broker: str | None, url: str | None, token: str | None) -> Reach:
    """Choose the way: what an option names, else the broker, else (MQTT 3.1.1) where hub.yaml has HTTP listen.

    Raises:
        ConfigError: the settings or the token cannot be read.
        NoAnswer: there is no way.

    """
    if url is not None and broker is not None:
        raise typer.BadParameter("--url and --broker are two ways to the same hub: name one of them")
    known = secret_of(token) if token else None
    if url is not None:
        return Reach(None, _checked(url), known)
    settings = load_reach(config, broker)
    if settings.broker.protocol == "5":
        return Reach(settings)
    if broker is None and settings.http.enabled and settings.http.port:
        return Reach(settings, _address(settings.http), known)
    raise NoAnswer(
        "no hub answers over MQTT 3.1.1 (broker.protocol), which has no response topics: ask it over HTTP, with --url"
        " http://HOST:PORT and --token where it wants one; http.listen in its hub.yaml says at what address"
    )


def url_of(config: Path | None, url: str | None) -> str:
    """Return where the hub speaks HTTP: what the option names, else what the settings say."""
    return _address(load_http(config)) if url is None else _checked(url)


def _checked(url: str) -> str:
    """Return a URL that is one of HTTP."""
    if not url.startswith(("http://", "https://")):
        raise typer.BadParameter(f"--url: {url!r} is not http://… or https://…")
    return url


def _address(settings: HttpSettings) -> str:
    """Return where a hub with these settings is reached from this machine."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104 - not bound here
    scheme = "https" if settings.cert else "http"
    return settings.url or f"{scheme}://{f'[{host}]' if ':' in host else host}:{settings.port}"


def secret_of(text: str) -> Secret:
    """Read a token, from the environment or a file where it says so.

    Raises:
        ConfigError: it cannot be had from there.

    """
    if not text.startswith(("!env ", "!file ")):
        return Secret(text)
    problems = Problems()
    found = parse_document(text, "--token", problems)
    if problems or found is None or not isinstance(found.value, Secret):
        raise ConfigError(problems)
    return found.value
