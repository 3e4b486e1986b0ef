"""contract: a key is read as its schema says, and both documents say the same of a command."""

import pytest
from jsonschema import Draft202012Validator

from hub.commands import contract
from hub.commands.contract import COMMANDS, Asking, RequestKey
from hub.errors import RequestError
from hub.operate.api.front.server import ENDPOINTS
from hub.operate.specs.asyncapi import asyncapi
from hub.operate.specs.openapi import document

OPENAPI, ASYNCAPI = document(ENDPOINTS), asyncapi()
KINDS = sorted({each.asked for each in COMMANDS.values()}, key=lambda kind: kind.__name__)
VALUES = [
    "", "text", "x" * 1001, "7b1165afb6538d40", "firing", "queued", "2026-03-01T12:00:00Z", 0, 1, 7, 5000, -1, 1.5,
    True, False, None, [], ["a"], [1], {}, {"a": "b"}, {"a": 1}, {"p256dh": "x", "auth": "y"},
]  # fmt: skip
LENIENT = {"until", "for", "endpoint", "keys", "expirationTime", "expired", "drill"}
"""Read together with others, or by who knows more of them; or taken for what they may mean."""


def keys(kind):
    return {each.name: each for base in kind.__mro__ for each in vars(base).values() if isinstance(each, RequestKey)}


def reads(key, value):
    try:
        key.read(value, key.name)
    except RequestError:
        return False
    return True


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_what_does_not_fit_the_schema_of_a_key_is_refused_with_the_name_of_the_key(kind):
    for name, key in keys(kind).items():
        Draft202012Validator.check_schema(key.schema)
        for value in VALUES:
            fits = Draft202012Validator(key.schema).is_valid(value)
            # taken, though it is not promised
            more = (name == "labels" and value == {"a": 1}) or (name == "annotations" and not value)
            if not fits and not more and name not in LENIENT and value is not None:
                with pytest.raises(RequestError, match=rf"{name}|is not the id of"):
                    key.read(value, name)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_each_key_reads_something_that_fits_its_schema(kind):
    for name, key in keys(kind).items():
        assert any(Draft202012Validator(key.schema).is_valid(each) and reads(key, each) for each in VALUES), name


@pytest.mark.parametrize("name", COMMANDS)
def test_both_documents_say_the_same_of_a_command(name):
    made, key = COMMANDS[name], "".join(word.capitalize() for word in name.split("-"))
    channels = ASYNCAPI["channels"]
    assert channels[f"command{key}"]["messages"]["request"]["payload"] == made.request
    assert channels[f"answer{key}"]["messages"]["answer"]["payload"] == made.answer
    (operation,) = OPENAPI["paths"][f"/api/hub/{name}"].values()
    assert operation["summary"] == channels[f"command{key}"]["summary"] == made.summary
    assert operation["responses"]["200"]["content"]["application/json"]["schema"] == made.answer
    if "requestBody" in operation:
        assert operation["requestBody"]["content"]["application/json"]["schema"] == made.request


def test_a_key_is_read_when_it_is_wanted_and_not_before():
    asked = contract.AckRequest({"id": "7b1165afb6538d40", "matchers": 7})
    assert asked.id == "7b1165afb6538d40"
    with pytest.raises(RequestError, match="matchers"):
        _ = asked.matchers


def test_a_key_that_is_absent_has_its_default_and_one_of_another_name_is_found_by_that():
    asked = contract.SilenceRequest({"for": "2h"})
    assert (asked.lasting, asked.until, asked.id, asked.name()) == ("2h", None, "", "somebody")
    assert "lasting" not in contract.SilenceRequest.schema()["properties"]
    assert Asking.schema() == {"type": "object", "properties": {}}
