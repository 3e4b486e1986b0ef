"""doctor, the receivers: which server listens, which does not, which cannot be checked; nothing is sent."""

import asyncio

import pytest

from hub.documents.document import Problems, parse_document
from hub.notify.receiver_settings import read_receivers
from hub.operate.doctor.finding import Level
from hub.operate.doctor.receiver_check import last_attempts, look_at_receivers
from hub.store.reader import LastAttempt


def receivers(text):
    problems = Problems()
    found = read_receivers(parse_document(text, "r.yaml", problems), problems)
    assert not problems
    return found


@pytest.fixture
async def server():
    heard = []

    async def serve(reader, writer):
        heard.append(await reader.read())
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as listening:
        yield listening.sockets[0].getsockname()[1], heard


async def test_who_listens_is_reached_and_nothing_is_sent(server):
    port, heard = server
    text = f"""
web: {{webhook: {{url: "http://127.0.0.1:{port}/hook"}}}}
mail: {{smtp: {{host: 127.0.0.1, port: {port}, tls: none, from: a@example.org, to: b@example.org}}}}
"""
    found = await look_at_receivers(receivers(text))
    assert [each.level for each in found] == [Level.GOOD, Level.GOOD]
    assert all(not data for data in heard)


async def test_nobody_there_and_a_name_that_is_none_are_bad_without_the_secret_of_the_url():
    text = """
web: {webhook: {url: "http://127.0.0.1:1/token-4711"}}
gone: {webhook: {url: "https://no.such.host.invalid/x"}}
"""
    found = await look_at_receivers(receivers(text))
    assert [each.level for each in found] == [Level.BAD, Level.BAD]
    assert "127.0.0.1:1 cannot be reached" in found[0].text
    assert "4711" not in found[0].text + found[0].remedy


async def test_a_file_that_can_be_written_and_one_that_cannot(tmp_path):
    text = f"good: {{file: {{path: {tmp_path}/a.ndjson}}}}\nbad: {{file: {{path: {tmp_path}/no/a.ndjson}}}}\n"
    assert [each.level for each in await look_at_receivers(receivers(text))] == [Level.GOOD, Level.BAD]


async def test_what_only_a_message_could_show_is_said_to_be_unknown():
    (found,) = await look_at_receivers(receivers("chat: json://localhost:1/x"))
    assert found.level is Level.UNKNOWN
    assert "hub drill" in found.remedy


def _attempt(outcome, at, reason=""):
    return LastAttempt("board", outcome, at, reason)


@pytest.mark.parametrize(
    ("attempts", "level", "said"),
    [
        ([], Level.GOOD, "not tried yet"),
        ([_attempt("failed", 10.0, "gone"), _attempt("delivered", 20.0)], Level.GOOD, "last delivered 1970-01-01T"),
        ([_attempt("delivered", 10.0), _attempt("refused", 20.0, "gone")], Level.WARNING, "was not taken: gone"),
    ],
)
async def test_what_can_be_reached_is_said_to_work_only_where_it_has_delivered(attempts, level, said):
    found = await look_at_receivers(receivers("board: {mqtt: {topic: notify/board}}"), attempts)
    assert [(each.level, said in each.text) for each in found] == [(level, True)]


def test_a_state_file_that_is_not_there_tells_of_no_attempts(tmp_path):
    assert last_attempts(tmp_path / "none.db") == []
