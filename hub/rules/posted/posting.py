"""An alert that another program evaluates and posts, as Prometheus does: what came, and what is kept of it. Values."""

from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from hub.expressions import literal
from hub.limits import RESOLVED_KEPT_SECONDS
from hub.model import Labels, Phase
from hub.rules.reading.rule import Texts

__all__ = ["Identity", "PostedAlert", "Posting", "dump_identity", "load_identity"]

Identity = tuple[str, Labels]
"""The alertname, and all other labels sorted by name."""


@dataclass(frozen=True, slots=True)
class Posting:
    """One alert as it was posted. Times are seconds since 1970, None where it has none; `url` leads to its origin."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    starts: float | None = None
    ends: float | None = None
    url: str = ""

    @property
    def identity(self) -> Identity:
        """The key by which the same alert is known when it is posted again."""
        others = [item for item in self.labels.items() if item[0] != "alertname"]
        return self.labels["alertname"], tuple(sorted(others))


@dataclass(frozen=True, slots=True)
class PostedAlert:
    """What is kept of a posted alert: it began at `starts`, is over at `ends`, and was posted last at `heard`."""

    annotations: Mapping[str, str]
    url: str
    starts: float
    ends: float
    heard: float
    phase: Phase

    @property
    def alive(self) -> bool:
        """Whether it is pending or firing."""
        return self.phase in (Phase.PENDING, Phase.FIRING)

    @property
    def due(self) -> float:
        """When the clock changes it, in seconds since 1970: it begins to fire, it ends, or it is forgotten."""
        if self.phase is Phase.PENDING:
            return min(self.starts, self.ends)
        return self.ends if self.alive else self.ends + RESOLVED_KEPT_SECONDS

    def texts(self, identity: Identity) -> Texts:
        """Return its texts: the annotations, by the names that most rules of Prometheus give them."""
        name, labels = identity
        values = ", ".join(f"{key}={value}" for key, value in labels)
        details = self._annotation("description", "message")
        summary = self._annotation("summary", "message", "description") or (f"{name} ({values})" if values else name)
        runbook = self._annotation("runbook_url", "runbook")
        return Texts((), literal(summary), literal(details), literal(runbook))

    def _annotation(self, *names: str) -> str:
        return next((self.annotations[name] for name in names if self.annotations.get(name)), "")

    def dump(self) -> str:
        """Write it for the store, as JSON."""
        return orjson.dumps(self).decode()

    @classmethod
    def load(cls, text: str) -> "PostedAlert":
        """Read what `dump` wrote."""
        fields = orjson.loads(text)
        return cls(**fields | {"phase": Phase(fields["phase"])})


def dump_identity(identity: Identity) -> str:
    """Write an identity as the key of its row in the store."""
    return orjson.dumps(identity).decode()


def load_identity(text: str) -> Identity:
    """Read what `dump_identity` wrote."""
    name, labels = orjson.loads(text)
    return name, tuple((key, value) for key, value in labels)
