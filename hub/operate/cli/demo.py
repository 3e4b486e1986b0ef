"""`hub demo`: everything at once on this machine, for a first look."""

import asyncio
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from hub.observer import Observer, Observers
from hub.operate.demo.demonstration import Demo, Note, missing
from hub.operate.demo.picture import Picture
from hub.operate.figures.figures import Figures
from hub.operate.figures.summary import Summary
from hub.operate.process.runner import run_loop
from hub.operate.terminal.output import Output

__all__ = ["demo"]


def demo(
    headless: Annotated[
        bool, typer.Option("--headless", help="Print plain lines and a summary; end with 0 only if all went well.")
    ] = False,
    plain: Annotated[
        bool, typer.Option("--plain", help="Print lines instead of the live view, as where no terminal is.")
    ] = False,
    seconds: Annotated[
        float | None, typer.Option(min=1.0, help="Run for so long [default: until Ctrl-C].", show_default=False)
    ] = None,
    svg: Annotated[
        Path | None, typer.Option(help="Draw what a terminal would have shown into this file.", dir_okay=False)
    ] = None,
) -> None:
    """Show the hub at work: Mosquitto, simulated devices, the shipped rules, notifications delivered."""
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


class _Screen:
    """The live view in this terminal, as a process of its own: what it draws must not delay what the hub does.

    What is noted before is printed, and stands on the view's help page; while the view is on, the terminal is its own.
    """

    def __init__(self, note: Note, notes: Path) -> None:
        """Note by `note`, and keep it for the view in the file `notes`."""
        self._note, self._notes = note, notes
        self._kept: list[str] = []
        self._taken = False

    def note(self, word: str, text: str) -> None:
        """Print it, unless the view has the terminal."""
        if not self._taken:
            self._note(word, text)
            self._kept.append(text if word else f"  {text}")

    async def show(self, url: str) -> None:
        """Show the view until somebody leaves it, or this is cancelled."""
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
