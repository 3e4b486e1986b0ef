"""`hub set`: limits and other attributes of devices that people may change while the hub runs."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import orjson
import typer
from rich.table import Table

from hub.devices.known.settable import written
from hub.errors import RequestError
from hub.operate.cli.desk import print_table, request, user
from hub.operate.cli.options import Answered, Broker, By, Config, Token, Url
from hub.operate.client.reach import reach_of
from hub.printable import shown, shown_json

__all__ = ["set_attributes"]


def set_attributes(
    device: Annotated[
        str, typer.Argument(help="Its topic, or the last levels of it: freezer/7.", show_default=False)
    ] = "",
    values: Annotated[
        list[str] | None,
        typer.Argument(
            help="limit=-16; limit= goes back to the author's.", metavar="[NAME=VALUE]...", show_default=False
        ),
    ] = None,
    config: Config = None,
    broker: Broker = None,
    url: Url = None,
    token: Token = None,
    by: By = None,
    listing: Annotated[bool, typer.Option("--list", help="Show what may be set, of one device or of all.")] = False,
    as_json: Answered = False,
) -> None:
    """Set attributes of a device within its author's bounds. Its alerts are judged at once."""
    reach = reach_of(config, broker, url, token)
    if listing or not values:
        if not listing:
            raise RequestError("what is to be set? write limit=-16, or --list to see what may be set")
        answer = request("settings", {"device": device} if device else {}, reach)
        _show(answer["devices"], as_json=as_json)
        if answer["truncated"]:
            typer.echo("there are more: name a device", err=True)
        return
    wanted = {"device": device, "attributes": dict(map(_read, values)), "by": by or user()}
    answer = request("set", wanted, reach)
    if as_json:
        typer.echo(shown_json(answer["device"]))
        return
    for each in answer["changed"] or ["nothing changed: it is so already"]:
        typer.echo(shown(each))


def _read(text: str) -> tuple[str, Any]:
    """Read NAME=VALUE: numbers and truth values as such; an empty value is the author's."""
    name, sign, value = text.partition("=")
    if not sign or not name:
        raise RequestError(f"{text!r} sets nothing; write limit=-16")
    if not value:
        return name, None
    try:
        found = orjson.loads(value)
    except ValueError:
        return name, value
    return name, found if isinstance(found, bool | int | float | str) else value


def _show(devices: Sequence[Mapping[str, Any]], *, as_json: bool) -> None:
    if as_json:
        typer.echo(shown_json(list(devices)))
        return
    table = Table("device", "attribute", "value", "author's", "allowed", "set by", box=None)
    rows = [(each["device"], name, found) for each in devices for name, found in each["settable"].items()]
    for device, name, found in rows:
        made = found["set"] or {}
        by = made.get("by", "") if made.get("counts", True) else f"{made['by']}, not allowed any longer"
        cells = (device, name, _text(found["value"]), _text(found["author"]), _allowed(found["bounds"]), by)
        table.add_row(*map(shown, cells))
    print_table(table, rows, "no device has an attribute that may be set")


def _text(value: Any) -> str:
    return "" if value is None else written(value)


def _allowed(bounds: Mapping[str, Any]) -> str:
    if "of" in bounds:
        return ", ".join(map(_text, bounds["of"]))
    steps = f" in steps of {_text(bounds['step'])}" if "step" in bounds else ""
    return f"{_text(bounds['min'])} to {_text(bounds['max'])}{steps}"
