"""Texts with `{…}`: they make summaries, details, labels and messages. A field that fails never loses the text."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hub.errors import EvaluationError
from hub.expressions.compiling.history_calls import Reading
from hub.expressions.names import NO_SAMPLES, Context, Samples, Scope
from hub.expressions.program import Program
from hub.expressions.templates.format import Format, for_people, format_for, plain
from hub.expressions.templates.segments import Hole, cut
from hub.limits import TEMPLATE_BYTES
from hub.printable import shorten, visible

__all__ = ["Filler", "RenderedText", "Template", "compile_template", "fillers", "literal"]

_FAILURES = (EvaluationError, ValueError, OverflowError, TypeError, OSError, RecursionError)


@dataclass(frozen=True, slots=True)
class RenderedText:
    """A text, and for each field of it that failed (and stands as `?`) why."""

    text: str
    failures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Filler:
    """Fills one hole of a text: a program, and the function that writes its value."""

    program: Program
    write: Format

    def fill(
        self,
        fields: Mapping[str, Any],
        captures: tuple[str, ...],
        context: Context | None,
        failures: list[str],
        samples: Samples = NO_SAMPLES,
    ) -> str:
        """Return the text of the hole; where it fails `?`, and why in `failures`."""
        try:
            return self.write(self.program.run(fields, captures, context, samples))
        except _FAILURES as error:
            failures.append(f"{{{self.program.text}}}: {error}")
            return "?"


@dataclass(frozen=True, slots=True)
class Template:
    """A compiled text. `constant` is the whole of it if there is nothing to fill in."""

    text: str
    parts: tuple[str | Filler, ...]
    constant: str | None
    needs_context: bool
    fields: frozenset[str]
    captures: frozenset[str]
    history: tuple[Reading, ...] = ()
    schedules: frozenset[str] = frozenset()
    event_members: frozenset[str] = frozenset()

    def render(
        self,
        fields: Mapping[str, Any],
        captures: tuple[str, ...],
        context: Context | None,
        samples: Samples = NO_SAMPLES,
    ) -> RenderedText:
        """Fill in the values of an event.

        Control characters of values are written out (a line end too), because devices send them; the result is cut to
        TEMPLATE_BYTES.
        """
        if self.constant is not None:
            return RenderedText(self.constant, ())
        failures: list[str] = []
        pieces = [
            part if isinstance(part, str) else visible(part.fill(fields, captures, context, failures, samples))
            for part in self.parts
        ]
        return RenderedText(shorten("".join(pieces), TEMPLATE_BYTES), tuple(failures))


def fillers(text: str, scope: Scope, bare: Format = plain) -> list[str | Filler]:
    """Cut a text and make the fillers of its holes; `bare` writes the values of holes without a format."""
    parts: list[str | Filler] = []
    for part in cut(text, scope):
        if isinstance(part, Hole):
            parts.append(Filler(part.program, format_for(part.spec, part.program.kind, part.spec_at, text, bare)))
        else:
            parts.append(part)
    return parts


def compile_template(text: str, scope: Scope) -> Template:
    """Compile a text with `{expression}` or `{expression:format}` in it.

    Raises:
        CompileError: a brace without its fellow, a wrong expression, a format that does not fit.

    """
    parts = [visible(part, layout=True) if isinstance(part, str) else part for part in fillers(text, scope, for_people)]
    programs = [part.program for part in parts if isinstance(part, Filler)]
    return Template(
        text,
        tuple(parts),
        None if programs else shorten("".join(map(str, parts)), TEMPLATE_BYTES),
        any(program.needs_context for program in programs),
        frozenset().union(*(program.fields for program in programs)),
        frozenset().union(*(program.captures for program in programs)),
        tuple(dict.fromkeys(reading for program in programs for reading in program.history)),
        frozenset().union(*(program.schedules for program in programs)),
        frozenset().union(*(program.event_members for program in programs)),
    )


def literal(text: str) -> Template:
    """Return a template without holes for a text from outside; its control characters are written out."""
    shown = shorten(visible(text, layout=True), TEMPLATE_BYTES)
    return Template(text, (shown,), shown, False, frozenset(), frozenset())
