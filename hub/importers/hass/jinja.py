"""Reads Home Assistant's Jinja templates, where they name nothing but the state of the alert's own entity."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from hub.importers.imported_texts import braces, literal

__all__ = ["JinjaMessage", "message"]

_HOLE = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class JinjaMessage:
    """A message as pieces of text; None stands for the state of the entity, a tuple for another expression."""

    pieces: "list[str | tuple[str] | None]"

    @property
    def text(self) -> str:
        """Return the message as a template of ours."""
        return "".join(_hole(piece) if not isinstance(piece, str) else braces(piece) for piece in self.pieces)

    def over(self, done: "JinjaMessage") -> str:
        """Return a template that says this while the alert fires, and `done` when it is over."""
        return f'{{state == "resolved" ? {done.expression} : {self.expression}}}'

    @property
    def expression(self) -> str:
        """Return the message as an expression, for use inside another one."""
        return " + ".join(
            f"string({_hole(piece)[1:-1]})" if not isinstance(piece, str) else literal(piece) for piece in self.pieces
        )


def _hole(piece: tuple[str] | None) -> str:
    return f"{{{'value' if piece is None else piece[0]}}}"


def message(text: str, entity: str, known: Mapping[str, str] | None = None) -> JinjaMessage | None:
    """Read a Jinja template; None where it does more than name the entity's state.

    `known` are other expressions that it may name, with ours for each.
    """
    own = {f"states('{entity}')", f'states("{entity}")', f"states.{entity}.state", f"states.{entity}"}
    pieces: list[str | tuple[str] | None] = []
    for number, part in enumerate(_HOLE.split(text.strip())):
        if number % 2:
            if known and part.strip() in known:
                pieces.append((known[part.strip()],))
                continue
            if part.strip() not in own:
                return None
            pieces.append(None)
        elif "{%" in part or "{#" in part:
            return None
        elif part:
            pieces.append(part)
    return JinjaMessage(pieces or [""])
