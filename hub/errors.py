"""Every error of the hub, one tree; the command line turns each into one line and an exit code.

HubError
├── ConfigError            hub.yaml, rules or fleets have problems (a list of Problem)
├── ExpressionError        an expression of a rule
│   ├── CompileError           it cannot be understood; knows the offset in the text
│   └── EvaluationError        it has no value for this event
├── SessionError           the MQTT session
│   ├── BrokerUnreachable      no connection could be made
│   ├── ConnectionRefused      the broker said no: credentials, client id, ban
│   ├── SubscriptionDenied     a SUBACK code ≥ 0x80: an ACL, usually
│   ├── SessionTakenOver       another client came with our client id
│   ├── Disconnected           the connection ended; the broker's reason, where it gave one
│   │   └── MalformedPacket        the broker sent what is not MQTT
│   └── PublishRefused         a publish cannot be sent or the broker said no
├── RequestError           something asked of a running hub cannot be done
└── StoreError             the state file
    ├── StoreLocked            another hub has it open
    ├── StoreFenced            another node of the cluster owns the state now
    └── StoreUnusable          not a hub's file, a newer version, or not writable
        ├── StoreDamaged           SQLite cannot read it, a table is missing, a row makes no sense
        └── StoreBusy              not now: a full disk, a hub that is just stopping; waiting helps
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from math import inf
from typing import Any, Self

__all__ = [
    "BrokerUnreachable",
    "Code",
    "CompileError",
    "ConfigError",
    "ConnectionRefused",
    "Disconnected",
    "EvaluationError",
    "ExpressionError",
    "HubError",
    "MalformedPacket",
    "Problem",
    "PublishRefused",
    "RequestError",
    "SessionError",
    "SessionTakenOver",
    "StoreBusy",
    "StoreDamaged",
    "StoreError",
    "StoreFenced",
    "StoreLocked",
    "StoreUnusable",
    "SubscriptionDenied",
]


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """Something a user wrote that cannot stay so: where it stands, what it is, and (in `hint`) what to do.

    `line` and `column` count from 1; 0 means that the problem has no place inside the file. `excerpt` is shown
    below the message, for an expression with its caret. A `note` may be as it was meant: nothing fails for it.
    """

    path: str
    line: int
    column: int
    message: str
    hint: str = ""
    excerpt: str = ""
    note: bool = False

    def __str__(self) -> str:
        """Return `file:line:column: message` as editors and compilers have it, the hint behind."""
        place = f"{self.path}:{self.line}:{self.column}" if self.line else self.path
        text = f"{place}: {'note: ' if self.note else ''}{self.message}"
        if self.hint:
            text += f" ({self.hint})"
        return f"{text}\n{self.excerpt}" if self.excerpt else text

    def as_note(self) -> "Problem":
        """Return the same as a note."""
        return replace(self, note=True)


class Code(StrEnum):
    """The kind of an error, for programs: HTTP status and exit code follow from it and never from the words."""

    INVALID = "invalid"
    """The request cannot be read, or makes no sense; asking again changes nothing."""
    MISSING = "missing"
    """What is meant is not there."""
    CONFLICT = "conflict"
    """The request does not fit what is there now: an episode is over, a name is taken, there is no room for more."""
    EXPIRED = "expired"
    """It was allowed once, and is no more."""
    UNAVAILABLE = "unavailable"
    """Not now: the disk cannot be written, the broker is away, the hub stops. Ask again."""
    INTERNAL = "internal"
    """A bug of ours."""


class HubError(Exception):
    """Root of the tree. `exit_code` is what the command line ends with: 1 problems, 2 usage, 3 unreachable."""

    exit_code = 1
    code = Code.INVALID


class ConfigError(HubError):
    """Files a user wrote have problems; all of them are here, never only the first."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        """Take the problems, at least one, and keep them in the order of their places."""
        self.problems = sorted(set(problems))
        super().__init__("\n".join(map(str, self.problems)))


class ExpressionError(HubError):
    """Root of what an expression can do wrong."""


class CompileError(ExpressionError):
    """The text is not an expression. `offset` (characters from its start) is where it stops being one."""

    def __init__(self, message: str, offset: int = 0, text: str = "", hint: str = "") -> None:
        """Keep the message, the place in `text`, and what to do about it."""
        super().__init__(message)
        self.message, self.offset, self.text, self.hint = message, offset, text, hint


class NotYet(str):
    """Why an expression that looks back has no value yet: a text, so that `&&` and `||` pass it on as any other."""

    __slots__ = ()


class EvaluationError(ExpressionError):
    """The expression has no value for this input: a missing field, a wrong type, an overflow."""

    @property
    def is_early(self) -> bool:
        """Whether there is no value yet because what the expression looks back at has not come."""
        return bool(self.args) and isinstance(self.args[0], NotYet)


class SessionError(HubError):
    """Root of what can go wrong between the hub and its broker."""

    exit_code = 3
    code = Code.UNAVAILABLE


class BrokerUnreachable(SessionError):
    """No connection: wrong address, nobody listening, TLS that does not agree."""


class ConnectionRefused(SessionError):
    """CONNACK with an error: user or password, client id, protocol version."""


class SubscriptionDenied(SessionError):
    """The broker does not let us read a filter that a rule asks for."""


class SessionTakenOver(SessionError):
    """Another client connected with our client id; going on would take it back, endlessly."""


class Disconnected(SessionError):
    """The broker ended the connection and said why."""


class MalformedPacket(Disconnected):
    """The broker sent what is not MQTT; the connection is given up and made anew."""


class PublishRefused(SessionError):
    """A message the broker will not take, however often it is sent."""


class RequestError(HubError):
    """A request (acknowledge, silence, why) that cannot be read or carried out; its words are for whoever asked."""

    def __init__(self, message: str, code: Code = Code.INVALID) -> None:
        """Keep the words and the kind; UNAVAILABLE ends a command with the exit code of a hub out of reach (3)."""
        super().__init__(message)
        self.code = code
        self.exit_code = 3 if code is Code.UNAVAILABLE else 1

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> Self:
        """Return the error that a running hub answered; an early hub sends words without a code."""
        said = str(answer.get("code", Code.INVALID))
        code = Code(said) if said in set(Code) else Code.INVALID
        return cls(str(answer.get("error", "the hub gave no reason")), code)


class StoreError(HubError):
    """Root of what the state file can do wrong."""

    code = Code.UNAVAILABLE


class StoreLocked(StoreError):
    """Another hub holds the state file."""


class StoreFenced(StoreError):
    """Another node owns the state now. Nothing that was not committed was told to anybody."""


class StoreUnusable(StoreError):
    """The state file cannot be used: a newer schema, not a database, no permission."""


class StoreDamaged(StoreUnusable):
    """What the state file holds cannot be read any more."""


class StoreBusy(StoreUnusable):
    """The state file cannot be used yet. `patience` is for how many seconds it is worth waiting."""

    def __init__(self, message: str, patience: float = inf) -> None:
        """Keep the message and the patience."""
        super().__init__(message)
        self.patience = patience
