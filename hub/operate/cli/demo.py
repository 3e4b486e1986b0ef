"""`hub demo`: everything at once on this machine, for a first look."""

import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from hub.observer import Observer, Observers
from hub.operate.demo import Demo, missing
from hub.operate.figures import Figures
from hub.operate.output import Output
from hub.operate.picture import Picture
from hub.operate.runner import run_loop
from hub.operate.summary import Summary

__all__ = ["demo"]


def demo(
    headless: Annotated[
        bool, typer.Option("--headless", help="Print plain lines and a summary; end with 0 only if all went well.")
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
    try:
        summary = _demonstrate(output, picture, seconds)
        output.summary(summary)
        if svg and picture:
            picture.save(svg, summary)
        lacking = missing(summary)
        output.note("demo", "; ".join(lacking) if lacking else "events in, alerts fired, resolved and delivered")
    finally:
        output.close()
    if headless and lacking:
        raise typer.Exit(1)


def _demonstrate(output: Output, picture: Picture | None, seconds: float | None) -> Summary:
    observers: list[Observer] = [output.observer, *([picture.observer] if picture else [])]

    def note(word: str, text: str) -> None:
        output.note(word, text)
        if picture:
            picture.observer.note(word, text)

    async def show(directory: str) -> Summary:
        demonstration = Demo(Path(directory), Observers(*observers), note, Figures())
        return await demonstration.run(seconds)

    with tempfile.TemporaryDirectory(prefix="hub-demo-", ignore_cleanup_errors=True) as directory:
        return run_loop(show(directory))
