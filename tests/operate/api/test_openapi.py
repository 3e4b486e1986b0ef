"""The OpenAPI document; schemathesis asks all that is in it of a running hub, and what comes back is as it says."""

import json
import subprocess
import sys
import urllib.request

import orjson
import pytest_asyncio
import schemathesis
from hypothesis import settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from hub.broker import Mosquitto
from hub.operate.api.described import NDJSON, Described
from hub.operate.api.openapi import document
from hub.operate.api.server import ENDPOINTS
from tests.operate.api.test_alertmanager import running


@schemathesis.serializer(NDJSON)
def ndjson(context, value):
    return value.encode("utf-8", "surrogatepass") if isinstance(value, str) else orjson.dumps(value)


DOCUMENT = document(ENDPOINTS)
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
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


@SCHEMA.exclude(path=ENDLESS).parametrize()
@settings(max_examples=10, derandomize=True)
def test_whatever_is_asked_the_answer_is_as_the_document_says(url, case):
    case.call_and_validate(base_url=url, headers=TOKEN, excluded_checks=[positive_data_acceptance])


def test_the_document_can_be_asked_for_and_printed_and_has_all_that_can_be_asked(url):
    request = urllib.request.Request(f"{url}/api/hub/openapi.json", headers=TOKEN)
    with urllib.request.urlopen(request) as response:
        found = json.load(response)
    printed = subprocess.run((sys.executable, "-m", "hub", "schema", "--openapi"), capture_output=True, check=True)
    assert json.loads(printed.stdout) == found
    asked = {(method, path) for path, operations in found["paths"].items() for method in operations}
    assert asked == {(each.method.lower(), each.path.replace(":path", "")) for each in ENDPOINTS}


def test_the_document_says_who_may_and_everything_of_the_desk_says_what_it_answers():
    for each in ENDPOINTS:
        operation = DOCUMENT["paths"][each.path.replace(":path", "")][each.method.lower()]
        assert bool(operation.get("security")) == bool(each.role), each.path
        assert each.described != Described(), each.path
