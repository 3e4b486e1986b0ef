"""The figures of a run as they are printed at its end: a Rich table, plain lines, or JSON. figures.py fills them in."""

from dataclasses import asdict, dataclass

import orjson
from rich.table import Table

__all__ = ["Figure", "Latency", "Summary", "seconds_shown"]


@dataclass(frozen=True, slots=True)
class Figure:
    """How many there were, the mean per second, and how many in the best second."""

    total: int
    per_second: float
    peak: int


@dataclass(frozen=True, slots=True)
class Latency:
    """Latencies in seconds: the median, the one that 99 of 100 are below, the longest."""

    p50: float
    p99: float
    longest: float


@dataclass(frozen=True, slots=True)
class Summary:
    """All counts of a run; its fields are the keys of the JSON that `hub run` writes."""

    egr: Figure
    epl: Latency
    nsr: Figure
    npl: Latency
    fired: int
    resolved: int
    sent_firing: int
    sent_resolved: int
    sent_event: int
    queued: int
    delayed: int
    failed_attempts: int
    dead: int
    undecoded: int
    rule_errors: int
    duplicates: int
    reconnects: int
    sessions_lost: int
    troubles: int

    def rows(self) -> list[tuple[str, str, str]]:
        """Return rows of (name, explanation, value). A row without news is left out."""
        rows = [
            ("EGR", "events in", _figure(self.egr)),
            ("EPL", "event in to all it caused on disk", _latency(self.epl)),
            ("NSR", "notifications sent", _figure(self.nsr)),
            ("NPL", "cause to sent", _latency(self.npl)),
            ("alerts", "", f"{self.fired:,} fired, {self.resolved:,} resolved"),
        ]
        if self.delayed or self.dead:
            rows.append(("not at once", "", f"{self.delayed:,} had to be tried again, {self.dead:,} given up"))
        errors = [
            f"{count:,} {what}"
            for count, what in (
                (self.undecoded, "not understood"),
                (self.rule_errors, "without a value for a condition"),
                (self.duplicates, "redelivered, not evaluated again"),
            )
            if count
        ]
        if errors:
            rows.append(("events", "", ", ".join(errors)))
        if self.reconnects or self.sessions_lost:
            rows.append(("broker", "", f"{self.reconnects:,} reconnects, {self.sessions_lost:,} sessions lost"))
        return rows

    def table(self) -> Table:
        """Return a Rich table that fits into 80 columns."""
        table = Table(title="What this run came to", title_justify="left", show_header=False, expand=False)
        table.add_column(style="bold", no_wrap=True)
        table.add_column()
        for name, what, value in self.rows():
            table.add_row(name, f"{value}  [dim]{what}[/dim]" if what else value)
        return table

    def plain(self) -> str:
        """Return one line for each row, for a program that reads the output through a pipe."""
        return "\n".join(f"{name:<12}{value}{f'  ({what})' if what else ''}" for name, what, value in self.rows())

    def json(self) -> str:
        """Return one JSON object; latencies are seconds."""
        return orjson.dumps(asdict(self)).decode()


def seconds_shown(seconds: float) -> str:
    """Return a latency with two significant digits and its unit: `0.42 ms`, `12 ms`, `1.3 s`, `8 min`."""
    if seconds < 0.0095:
        return f"{seconds * 1000:.2g} ms"
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def _figure(figure: Figure) -> str:
    return f"{figure.total:,}, {figure.per_second:,.1f}/s, at most {figure.peak:,}/s"


def _latency(latency: Latency) -> str:
    p50, p99, longest = (seconds_shown(each) for each in (latency.p50, latency.p99, latency.longest))
    return f"p50 {p50}, p99 {p99}, at most {longest}"
