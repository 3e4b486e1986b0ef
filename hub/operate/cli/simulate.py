"""`hub simulate`: plays fleets of devices against a broker, and shows how many messages it took."""

import asyncio
import contextlib
import math
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from hub.config import parse_broker_url
from hub.devices.fleet import Fleet
from hub.devices.fleet_play import Play, scaled
from hub.devices.registry import load_fleets
from hub.documents.document import Problems
from hub.documents.secret import Secret
from hub.documents.shipped_files import shared
from hub.errors import ConfigError, HubError
from hub.ingest.mqtt.session import BrokerSettings
from hub.limits import FLEET_DEVICES
from hub.operate.cli.options import BrokerUrl
from hub.operate.process.runner import Stopper, run_loop
from hub.printable import shown, shown_json

__all__ = ["simulate"]

_LOOK_SECONDS = 0.25  # between two updates of the figures


def simulate(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Fleet files, or folders of them [default: the shipped ones].",
            metavar="[PATH]...",
            exists=True,
            show_default=False,
        ),
    ] = None,
    broker: BrokerUrl = "mqtt://localhost:1883",
    username: Annotated[
        str | None, typer.Option(help="The broker's user for the devices.", envvar="HUB_SIMULATE_USERNAME")
    ] = None,
    password: Annotated[
        str | None,
        typer.Option(
            help="The password of that user; better in the environment, where others cannot see it.",
            envvar="HUB_SIMULATE_PASSWORD",
        ),
    ] = None,
    ca: Annotated[
        Path | None, typer.Option(help="The authority that signed the broker's certificate (PEM).", exists=True)
    ] = None,
    cert: Annotated[Path | None, typer.Option(help="The devices' certificate (PEM).", exists=True)] = None,
    key: Annotated[Path | None, typer.Option(help="The certificate's key (PEM).", exists=True)] = None,
    devices: Annotated[
        int | None,
        typer.Option(min=1, max=FLEET_DEVICES, help="How many devices in all fleets together.", show_default=False),
    ] = None,
    rate: Annotated[
        float | None, typer.Option(min=0.001, help="Events per second of all fleets together.", show_default=False)
    ] = None,
    seconds: Annotated[
        float | None,
        typer.Option(min=0.001, help="Play for this many seconds [default: until Ctrl-C].", show_default=False),
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed makes the same events.")] = 0,
    speed: Annotated[
        float, typer.Option(min=0.001, help="How many times faster the devices' clock runs than ours.")
    ] = 1.0,
    demo: Annotated[
        bool,
        typer.Option("--demo", help="Play the fleets as in `hub demo`: short intervals, and faults at fixed times."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the final figures as JSON.")] = False,
) -> None:
    """Play simulated devices against a broker. They send real MQTT, with faults; a seed makes the same events again."""
    for name, number in (("--rate", rate), ("--seconds", seconds), ("--speed", speed)):
        if number is not None and not math.isfinite(number):
            raise typer.BadParameter(f"must be a finite number, not {number}", param_hint=name)
    settings = _settings(broker, username, password, ca, cert, key)
    fleets = _fleets(paths or [shared("devices")], demo, devices)
    play = Play(fleets, settings, seed=seed, rate=rate, speed=speed)
    with _progress(quiet=as_json) as progress:
        run_loop(_run(play, seconds, progress))
    _tell(play, settings, as_json)


def _settings(
    broker: str, username: str | None, password: str | None, ca: Path | None, cert: Path | None, key: Path | None
) -> BrokerSettings:
    """Return how the devices reach the broker; a user or password of an option wins over one in the URL."""
    try:
        settings = parse_broker_url(broker)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--broker") from None
    if (cert is None) != (key is None):
        raise typer.BadParameter("--cert and --key belong together", param_hint="--cert")
    if ca is not None and not settings.tls:
        raise typer.BadParameter("certificates need TLS: write the broker as mqtts://… or wss://…", param_hint="--ca")
    # two simulators at once must not take over each other's connections
    settings = replace(settings, client_id=f"simulate-{os.getpid()}", ca=ca, cert=cert, key=key)
    if username is not None:
        settings = replace(settings, username=username)
    return settings if password is None else replace(settings, password=Secret(password))


def _fleets(paths: Sequence[Path], demo: bool, devices: int | None) -> list[Fleet]:
    """Load the fleets that can be played: one without a payload is only a list of devices for rules to look up."""
    problems = Problems()
    fleets = [fleet for fleet in load_fleets(paths, problems) if fleet.payload is not None and fleet.devices]
    if problems:
        raise ConfigError(problems)
    if not fleets:
        raise HubError(f"no fleet with a payload in {', '.join(map(str, paths))}: there is nothing to play")
    if demo:
        fleets = [fleet.for_demo() for fleet in fleets]
    return scaled(fleets, devices) if devices is not None else fleets


class _Line:
    """Where the figures are shown while the fleets play; this one shows them nowhere."""

    def begin(self, text: str) -> None:
        """Show once which devices play."""

    def show(self, text: str) -> None:
        """Show the figures as they are now."""


class _RichLine(_Line):
    """A terminal: the figures change in place."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("connecting")

    def begin(self, text: str) -> None:
        self._progress.console.print(text, highlight=False, markup=False)

    def show(self, text: str) -> None:
        self._progress.update(self._task, description=text)


class _PlainLine(_Line):
    """A pipe: figures that change would fill it, so only the beginning is printed."""

    def begin(self, text: str) -> None:
        typer.echo(text)
        sys.stdout.flush()


@contextlib.contextmanager
def _progress(*, quiet: bool) -> Iterator[_Line]:
    if quiet:
        yield _Line()
    elif not sys.stdout.isatty():
        yield _PlainLine()
    else:
        columns = (SpinnerColumn(), TimeElapsedColumn(), TextColumn("{task.description}", markup=False))
        with Progress(*columns, transient=True) as progress:
            yield _RichLine(progress)


async def _run(play: Play, seconds: float | None, line: _Line) -> None:
    """Play until the end or a signal, and show the figures meanwhile; they begin with the first connection."""
    stopper = Stopper(play.stop)
    stopper.install()
    playing = asyncio.create_task(play.run(seconds), name="play")
    begun = False
    while not playing.done():
        if play.seconds and not begun:
            begun = True
            line.begin(_what(play))
        if begun:
            away = "" if play.connected else f"; not connected: {shown(play.tally().complaint, 100)}"
            line.show(_figures(play) + away)
        await asyncio.wait([playing], timeout=_LOOK_SECONDS)
    stopper.done.set()
    await playing


def _what(play: Play) -> str:
    fleets = ", ".join(f"{part.fleet.name} {len(part.fleet.devices):,}" for part in play.parts)
    return f"{play.tally().devices:,} devices ({fleets}), about {play.rate:,.4g} events/s"


def _figures(play: Play) -> str:
    tally, rate = play.tally(), _rate(play)
    unanswered = f" ({tally.unanswered:,} at QoS 0)" if tally.unanswered else ""
    text = f"{tally.sent:,} sent{unanswered}, {tally.acknowledged:,} acknowledged, {rate:,.1f} events/s"
    if tally.refused:
        text += f", {tally.refused:,} refused"
    return text


def _rate(play: Play) -> float:
    return play.tally().sent / play.seconds if play.seconds else 0.0


def _tell(play: Play, settings: BrokerSettings, as_json: bool) -> None:
    """Print the final figures; end with 1 if the broker refused messages."""
    tally = play.tally()
    if as_json:
        figures = {"broker": str(settings), "devices": tally.devices, "seconds": round(play.seconds, 3)}
        figures |= {"sent": tally.sent, "qos0": tally.unanswered, "acknowledged": tally.acknowledged}
        figures |= {"refused": tally.refused, "rate": round(_rate(play), 1), "reconnects": tally.reconnects}
        typer.echo(shown_json(figures, indent=False))
    else:
        typer.echo(f"{_figures(play)}, {play.seconds:.1f} s")
    if tally.refused:
        who = settings.username or "a client without a user"
        why = f"{tally.refused:,} messages of {who} were refused: {tally.refusal}; see the broker's ACL"
        typer.echo(f"hub: {shown(why)}", err=True)
        raise typer.Exit(1)
