"""`hub demo`: runs a hub, a broker, devices and receivers together on this machine, for a first look."""

import asyncio
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from hub.errors import HubError
from hub.observer import Observer, Observers
from hub.operate.demo.cluster_demo import ClusterDemo
from hub.operate.demo.demonstration import Demo, missing
from hub.operate.demo.listener import Note
from hub.operate.demo.picture import Picture
from hub.operate.figures.figures import Figures
from hub.operate.figures.summary import Summary
from hub.operate.process.runner import run_loop
from hub.operate.terminal.output import Output
from hub.settings.cluster_settings import cluster_missing

__all__ = ["demo"]


def demo(
    headless: Annotated[
        bool, typer.Option("--headless", help="Print plain lines and a summary; end with 1 if something did not work.")
    ] = False,
    plain: Annotated[bool, typer.Option("--plain", help="Print lines instead of the live view.")] = False,
    seconds: Annotated[
        float | None,
        typer.Option(min=1.0, help="Run for this many seconds [default: until Ctrl-C].", show_default=False),
    ] = None,
    svg: Annotated[
        Path | None, typer.Option(help="Draw what a terminal shows into this file, as SVG.", dir_okay=False)
    ] = None,
    cluster: Annotated[
        bool,
        typer.Option("--cluster", help="Three hubs on three NATS servers; the one that owns is killed."),
    ] = False,
) -> None:
    """Show the hub at work on this machine, for a first look.

    It starts a Mosquitto and simulated devices, runs the shipped rules, and delivers the notifications to a
    listener of its own.
    """
    if cluster:
        if svg:
            raise typer.BadParameter("there is no picture of a cluster", param_hint="--svg")
        _show_cluster(headless, plain, seconds)
        return
    output = Output(sys.stdout, plain=headless)
    output.stop_when_unread()
    picture = Picture() if svg else None
    viewed = not plain and output.console is not None and sys.stdin.isatty()
    try:
        summary = _demonstrate(output, picture, seconds, viewed)
        output.summary(summary)
        if svg and picture:
            picture.save(svg, summary)
        lacking = missing(summary)
        output.note("demo", "; ".join(lacking) if lacking else "events in, alerts fired, resolved and delivered")
    finally:
        output.close()
    if headless and lacking:
        raise typer.Exit(1)


def _demonstrate(output: Output, picture: Picture | None, seconds: float | None, viewed: bool) -> Summary:
    """Run the demonstration in a folder that is deleted afterwards; `viewed`: with the live view on this terminal."""
    observers: list[Observer] = [] if viewed else [output.observer]
    observers += [picture.observer] if picture else []

    def note(word: str, text: str) -> None:
        output.note(word, text)
        if picture:
            picture.observer.note(word, text)

    async def show(directory: str) -> Summary:
        screen = _Screen(note, Path(directory) / "notes.txt")
        demonstration = Demo(
            Path(directory),
            Observers(*observers),
            screen.note if viewed else note,
            Figures(),
            screen.show if viewed else None,
        )
        return await demonstration.run(seconds)

    with tempfile.TemporaryDirectory(prefix="hub-demo-", ignore_cleanup_errors=True) as directory:
        return run_loop(show(directory))


def _show_cluster(headless: bool, plain: bool, seconds: float | None) -> None:
    """Show a cluster; end with 1 where something was lost, or told twice."""
    if missing_extra := cluster_missing():
        raise HubError(missing_extra)
    output = Output(sys.stdout, plain=headless)
    output.stop_when_unread()
    viewed = not plain and output.console is not None and sys.stdin.isatty()

    async def show(directory: str) -> list[str]:
        screen = _Screen(output.note, Path(directory) / "notes.txt")
        once = headless and seconds is None
        shown = ClusterDemo(Path(directory), screen.note, screen.show if viewed else None, once)
        return await shown.run(seconds)

    try:
        with tempfile.TemporaryDirectory(prefix="hub-demo-", ignore_cleanup_errors=True) as directory:
            wrong = run_loop(show(directory))
        output.note("demo", "; ".join(wrong) if wrong else "an owner was killed, nothing was lost or told twice")
    finally:
        output.close()
    if wrong:
        raise typer.Exit(1)


class _Screen:
    """The live view in this terminal, as a process of its own, so that its drawing does not delay the hub.

    Notes are printed until the view opens, and the view's help page shows them again. While the view is open, nothing
    else is printed: it has the whole terminal.
    """

    def __init__(self, note: Note, notes: Path) -> None:
        """Print notes with `note`; the view reads them from the file `notes`."""
        self._note, self._notes = note, notes
        self._kept: list[str] = []
        self._taken = False

    def note(self, word: str, text: str) -> None:
        """Print a note and keep it for the view; drop it while the view has the terminal."""
        if not self._taken:
            self._note(word, text)
            self._kept.append(text if word else f"  {text}")

    async def show(self, url: str) -> None:
        """Show the hub at `url` until a person leaves the view, or this is cancelled."""
        self._notes.write_text("\n".join([*self._kept, ""]), "utf-8")
        self._taken = True
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "hub", "watch", "--url", url, "--notes", str(self._notes))
        )
        try:
            await process.wait()
        finally:
            if process.returncode is None:
                process.terminate()
                await process.wait()
            self._taken = False
