"""Reads Home Assistant's Jinja templates, where they name nothing but the state of the alert's own entity."""

import re
from dataclasses import dataclass

from hub.importers.imported_texts import braces, literal

__all__ = ["JinjaMessage", "message"]

_HOLE = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class JinjaMessage:
    """A message as pieces of text; None stands for the state of the entity."""

    pieces: "list[str | None]"

    @property
    def text(self) -> str:
        """Return the message as a template of ours."""
        return "".join("{value}" if piece is None else braces(piece) for piece in self.pieces)

    def over(self, done: "JinjaMessage") -> str:
        """Return a template that says this while the alert fires, and `done` when it is over."""
        return f'{{state == "resolved" ? {done.expression} : {self.expression}}}'

    @property
    def expression(self) -> str:
        """Return the message as an expression, for use inside another one."""
        return " + ".join("string(value)" if piece is None else literal(piece) for piece in self.pieces)


def message(text: str, entity: str) -> JinjaMessage | None:
    """Read a Jinja template; None where it does more than name the entity's state."""
    own = {f"states('{entity}')", f'states("{entity}")', f"states.{entity}.state", f"states.{entity}"}
    pieces: list[str | None] = []
    for number, part in enumerate(_HOLE.split(text.strip())):
        if number % 2:
            if part.strip() not in own:
                return None
            pieces.append(None)
        elif "{%" in part or "{#" in part:
            return None
        elif part:
            pieces.append(part)
    return JinjaMessage(pieces or [""])
