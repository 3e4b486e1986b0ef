"""What the OpenAPI and the AsyncAPI document both say: which program this is, and how it says no."""

from collections.abc import Iterable
from typing import Any

from hub import __version__
from hub.contracts.json_schema import TEXT, Schema, made_of, one_of, said

__all__ = ["info", "refusal"]


def info(description: str, **license_at: str) -> dict[str, Any]:
    """Return the `info` of a document; `license_at` is the field of a licence beside its name, as the format has it."""
    return {
        "title": "MQTT notification hub",
        "version": __version__,
        "description": description,
        "contact": {"name": "MQTT notification hub"},
        "license": {"name": "Apache-2.0", **license_at},
    }


def refusal(codes: Iterable[str], code_means: str) -> Schema:
    """Return the schema of an answer that is a no: its words are for people, its code is for programs."""
    return made_of(
        ok={"const": False},
        error=said(TEXT, "What is wrong, and what to do."),
        code=said(one_of(*codes), code_means),
    )
