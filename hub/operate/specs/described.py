"""What an endpoint takes and answers, said where it is declared; the OpenAPI document is made of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from hub.contracts.json_schema import Schema

__all__ = ["JSON", "NDJSON", "NOTHING", "Described"]

JSON, NDJSON = "application/json", "application/x-ndjson"
NOTHING: Schema = {"not": {}}
"""An answer without a body."""


@dataclass(frozen=True, slots=True)
class Described:
    """What goes in and comes out beside what all endpoints have in common.

    `query` and `headers` are by name; `bodies` are what may be posted, by media type; `bodiless`: or nothing. `answer`
    comes with `status`, as `media`; `refusals` are further statuses with why, `error` is how that is written (None: as
    everywhere).
    """

    answer: Schema = field(default_factory=dict)
    query: Mapping[str, Schema] = field(default_factory=dict)
    headers: Mapping[str, Schema] = field(default_factory=dict)
    bodies: Mapping[str, Schema] = field(default_factory=dict)
    bodiless: bool = False
    status: int = 200
    media: str = JSON
    refusals: tuple[int, ...] = ()
    error: Schema | None = None
