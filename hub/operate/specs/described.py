"""What an endpoint takes and answers, said where the endpoint is declared; the OpenAPI document is made of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from hub.contracts.json_schema import Schema

__all__ = ["JSON", "NDJSON", "NOTHING", "Described"]

JSON, NDJSON = "application/json", "application/x-ndjson"
NOTHING: Schema = {"not": {}}
"""An answer without a body."""


@dataclass(frozen=True, slots=True)
class Described:
    """What goes in and comes out of one endpoint, beside what all endpoints have in common.

    `query` and `headers` are schemas by name, `bodies` are schemas by media type; with `bodiless` the body may be left
    out. `answer` comes with `status` and as `media`. `refusals` are the statuses of a no beside the usual ones; `error`
    is the schema of their bodies, None for the usual one.
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
