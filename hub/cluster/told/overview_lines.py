"""`hub cluster status` for people: the unit, the log, and a plain table of the nodes."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from hub.clock import PEOPLE
from hub.limits import CLOCKS_APART_SECONDS
from hub.printable import shown

__all__ = ["overview_lines", "unowned"]

_HEAD = ("node", "role", "since", "record", "behind", "rules", "version")


def overview_lines(found: Mapping[str, Any]) -> list[str]:
    """Return the lines."""
    nodes = found["nodes"]
    table = _columns([_HEAD, *map(_row, nodes)])
    trouble = [f"  {shown(each['node'])}: {shown(each['trouble'])}" for each in nodes if each["trouble"]]
    trouble += [_twice(each) for each in nodes if each.get("processes", 1) > 1]
    trouble += [_clock(each) for each in nodes if abs(each.get("clock_seconds", 0.0)) >= CLOCKS_APART_SECONDS]
    same = {each["rules"] for each in nodes if each["alive"]}
    differ = ["  the nodes have different rules"] if len(same) > 1 else []
    if not nodes:
        table = ["no node runs: start `hub run` on each machine"]
    units = [_unit(found["name"], each, nodes) for each in found["units"]]
    return [*units, _log(found["log"], found["snapshot"]), *(f"  {line}" for line in table), *trouble, *differ]


def _twice(node: Mapping[str, Any]) -> str:
    return f"  {node['processes']} processes are called {shown(node['node'])}: give each a `cluster.node` of its own"


def unowned(found: Mapping[str, Any]) -> str:
    """Say since when nobody owns the unit, and what comes next: for who has asked and got no answer."""
    return f"{_free(found['units'][0])}; {_next(found['nodes'])}"


def _free(unit: Mapping[str, Any]) -> str:
    return "nobody owns it" + ("" if unit["since"] is None else f" since {_told(unit['since'])}")


def _next(nodes: Sequence[Mapping[str, Any]]) -> str:
    """Say who takes over; where nobody can, what keeps each node from it."""
    able = [shown(each["node"]) for each in nodes if each["role"] == "standby"]
    if len(able) == 1:
        return f"{able[0]} stands by and takes it over, usually within seconds"
    if able:
        return f"{' and '.join(able)} stand by, and one of them takes it over, usually within seconds"
    stuck = [f"{shown(each['node'])} cannot: {shown(each['trouble'])}" for each in nodes if each["role"] == "stuck"]
    left = [f"{shown(each['node'])} has left: start it again" for each in nodes if each["role"] == "left"]
    return "; ".join([*stuck, *left]) or "no node runs that could: start `hub run` on one"


def _clock(node: Mapping[str, Any]) -> str:
    seconds = node["clock_seconds"]
    side = "ahead of" if seconds > 0 else "behind"
    return f"  {shown(node['node'])}: its clock is {abs(seconds):.1f} s {side} this machine's: let NTP set both"


def _unit(name: str, unit: Mapping[str, Any], nodes: Sequence[Mapping[str, Any]]) -> str:
    if unit["owner"] is None:
        return f"{name} {unit['unit']}: {_free(unit)}, record {unit['applied']:,}; {_next(nodes)}"
    return f"{name} {unit['unit']}: {unit['owner']} owns it since {_told(unit['since'])}, record {unit['applied']:,}"


def _log(log: Mapping[str, Any], snapshot: Mapping[str, Any] | None) -> str:
    size = "size not known" if log["bytes"] is None else f"{log['bytes'] / 1e6:.1f} MB"
    size += "" if log["percent"] is None else f", {log['percent']:.1f} % of its room"
    if snapshot is None:
        return f"log: {size}; no snapshot yet"
    made = f"at record {snapshot['record']:,} by {shown(snapshot['node'])}, {_told(snapshot['made'])}"
    return f"log: {size}; snapshot {made}, {snapshot['bytes'] / 1e6:.1f} MB"


def _row(node: Mapping[str, Any]) -> Sequence[str]:
    if not node["alive"]:
        return (shown(node["node"]), "gone", _told(node["since"]), "-", "-", "-", "-")
    behind = "-" if not node["lag"] else f"{node['lag']:,} ({node['lag_seconds']:.1f} s)"
    said = (node["node"], node["role"], _told(node["since"]), f"{node['applied']:,}", behind)
    return [shown(each) for each in (*said, node["rules"] or "-", node["version"] or "-")]


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _told(time: str | None) -> str:
    if time is None:
        return "-"
    return f"{PEOPLE.local(datetime.fromisoformat(time).timestamp()):%Y-%m-%d %H:%M:%S}"
