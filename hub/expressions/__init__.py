"""The expression language: CEL compiled to Python functions, and the texts with `{…}` in them (docs/expressions.md).

A leaf: rules, alerts and receivers compile with it when files are loaded, and run the functions with each event.
"""

from hub.errors import CompileError, EvaluationError
from hub.expressions.compiling.history_calls import Reading, Slot
from hub.expressions.names import NO_SAMPLES, Context, Equality, Samples, Scope
from hub.expressions.program import (
    Program,
    RunAll,
    compile_condition,
    compile_expression,
    compile_together,
    evaluate,
    is_word,
)
from hub.expressions.syntax.caret import caret
from hub.expressions.templates.bare import bare_names
from hub.expressions.templates.template import RenderedText, Template, compile_template, literal
from hub.expressions.templates.topic import TopicTemplate, compile_topic, encode_level, short_level
from hub.expressions.values import UInt

__all__ = [
    "NO_SAMPLES",
    "CompileError",
    "Context",
    "Equality",
    "EvaluationError",
    "Program",
    "Reading",
    "RenderedText",
    "RunAll",
    "Samples",
    "Scope",
    "Slot",
    "Template",
    "TopicTemplate",
    "UInt",
    "bare_names",
    "caret",
    "compile_condition",
    "compile_expression",
    "compile_template",
    "compile_together",
    "compile_topic",
    "encode_level",
    "evaluate",
    "is_word",
    "literal",
    "short_level",
]
