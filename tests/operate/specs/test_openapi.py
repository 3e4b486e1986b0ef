"""The OpenAPI document: schemathesis asks a running hub for all that is in it, and the answers fit it."""

import json
import os
import re
import urllib.request

import orjson
import pytest
import pytest_asyncio
import schemathesis
from hypothesis import settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from hub.operate.api.front.server import ENDPOINTS
from hub.operate.mosquitto import Mosquitto
from hub.operate.specs.described import NDJSON, Described
from hub.operate.specs.openapi import document
from tests.operate.api.test_alertmanager import running
from tests.support import prefork


@schemathesis.serializer(NDJSON)
def ndjson(context, value):
    return value.encode("utf-8", "surrogatepass") if isinstance(value, str) else orjson.dumps(value)


DOCUMENT = document(ENDPOINTS)
# made when the tests run: at collection, each worker would think out what to ask for itself
SCHEMA = schemathesis.pytest.from_fixture("schema")
ENDLESS = "/sse"
# A schema cannot say all that makes a matcher, a time to come, or a topic filter: what it allows may still be refused.
TOKEN = {"Authorization": "Bearer the-secret-of-root"}
HTTP = "{listen: '127.0.0.1:0', tokens: [{name: root, role: admin, token: the-secret-of-root}]}"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def url(tmp_path_factory):
    """A hub in which there is one of everything, and which never tires of wrong tokens."""
    folder = tmp_path_factory.mktemp("openapi")
    limits = {"LOGIN_FAILURES": 10**9}
    async with Mosquitto(folder / "broker") as broker, running(folder, broker, HTTP, limits=limits) as desk:
        desk.headers = TOKEN
        await desk.fires("Down", 1)
        await desk.fires("Hot")
        await desk.post({"labels": {"alertname": "A", "n": "1"}, "annotations": {"summary": "one"}})
        yield desk.url


@pytest.fixture
def schema(request):
    request.node._nodeid = request.node.nodeid  # schemathesis names by it what it asks; pytest 9.2 has it no more
    return schemathesis.openapi.from_dict(DOCUMENT)


@settings(max_examples=10, derandomize=True)
@SCHEMA.include(method="GET").exclude(path=ENDLESS).parametrize()
def test_whatever_is_asked_the_answer_is_as_the_document_says(url, case):
    fits(url, case)


@settings(max_examples=10, derandomize=True)
@SCHEMA.exclude(method="GET").parametrize()
def test_whatever_is_sent_the_answer_is_as_the_document_says(url, case):
    fits(url, case)


def fits(url, case):
    case.call_and_validate(base_url=url, headers=TOKEN, excluded_checks=[positive_data_acceptance])


def test_the_document_can_be_asked_for_and_printed_and_has_all_that_can_be_asked(url):
    request = urllib.request.Request(f"{url}/api/hub/openapi.json", headers=TOKEN)
    with urllib.request.urlopen(request) as response:
        found = json.load(response)
    code, printed, _ = prefork.run("schema", "--openapi", cwd=prefork.ROOT, env=os.environ)
    assert (code, json.loads(printed)) == (0, found)
    asked = {(method, path) for path, operations in found["paths"].items() for method in operations}
    assert asked == {(each.method.lower(), each.path.replace(":path", "")) for each in ENDPOINTS}


def operations():
    for path, found in DOCUMENT["paths"].items():
        yield from ((f"{method} {path}", operation) for method, operation in found.items())


@pytest.mark.parametrize(("name", "operation"), list(operations()))
def test_an_operation_has_what_the_linters_of_openapi_ask_for(name, operation):
    """The recommended rules of Redocly, and spectral:oas; `make specs` runs the linters themselves."""
    assert isinstance(operation["security"], list)
    assert operation["summary"]
    assert operation["description"].endswith(".")
    assert operation["tags"][0] in {tag["name"] for tag in DOCUMENT["tags"]}
    assert re.fullmatch(r"[A-Za-z0-9_]+", operation["operationId"])
    assert any(status[0] == "2" for status in operation["responses"])
    assert any(status[0] == "4" for status in operation["responses"])
    assert all(answer["description"] for answer in operation["responses"].values())
    given = [(each["in"], each["name"]) for each in operation["parameters"]]
    assert len(set(given)) == len(given)
    named = {each for where, each in given if where == "path"}
    assert named == set(re.findall(r"\{(\w+)\}", name))


def test_the_document_as_a_whole_has_what_the_linters_ask_for():
    info = DOCUMENT["info"]
    assert info["license"]["identifier"]
    assert all((info["contact"]["name"], info["description"], info["title"], info["version"]))
    assert [each["url"] for each in DOCUMENT["servers"]] == ["/"]
    names = [operation["operationId"] for _, operation in operations()]
    assert len(set(names)) == len(names)
    text = json.dumps(DOCUMENT)
    for kind, name in re.findall(r'"\$ref": "#/components/(\w+)/(\w+)"', text):
        assert name in DOCUMENT["components"][kind]
    for kind, parts in DOCUMENT["components"].items():
        for name in parts:
            assert f'"#/components/{kind}/{name}"' in text or kind == "securitySchemes"


def test_the_document_says_who_may_and_everything_of_the_desk_says_what_it_answers():
    for each in ENDPOINTS:
        operation = DOCUMENT["paths"][each.path.replace(":path", "")][each.method.lower()]
        assert bool(operation.get("security")) == bool(each.role), each.path
        assert each.described != Described(), each.path
