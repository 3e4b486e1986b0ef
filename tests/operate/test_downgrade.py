"""A state file of a newer hub: whatever opens it says so in one sentence, ends with 1, and leaves it as it is."""

import os
import re
import sqlite3
from pathlib import Path

import pytest

from hub.store.formats import FORMATS, newer
from hub.store.sqlite.database import Database
from hub.store.sqlite.migrations import STEPS
from tests.support import prefork

DOCS = Path(__file__).parents[2] / "docs" / "operations.md"
RUN = "; install that version or name another file with --state"
READ = "; use that version of this command"
WRITTEN = {  # what a newer hub has done, and how it is told
    "a version more": (
        f"PRAGMA user_version = {len(STEPS) + 1}",
        f"(state version {len(STEPS) + 1}, this one knows {len(STEPS)})",
    ),
    "a format more": (
        "UPDATE formats SET format = format + 1 WHERE kind = 'silence'",
        f"(format {FORMATS['silence'] + 1} of 'silence', this one knows {FORMATS['silence']})",
    ),
    "a kind more": (
        "INSERT INTO formats VALUES ('maintenance', 1)",
        "(rows of the kind 'maintenance', which this one does not know)",
    ),
    "a row of a kind that nobody knows": (
        "INSERT INTO desk VALUES ('maintenance', 'x', '[]')",
        "(rows of the kind 'maintenance', which this one does not know)",
    ),
}


@pytest.fixture(params=WRITTEN)
def written(request, tmp_path):
    """Return a folder with settings and a file that a newer hub has written, and how that is told."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules/rules.yaml").write_text("rules: []\n", "utf-8")
    (tmp_path / "hub.yaml").write_text("broker: {url: mqtt://127.0.0.1:1}\nrules: [rules]\nstate: hub.db\n", "utf-8")
    Database(tmp_path / "hub.db").close()
    sql, said = WRITTEN[request.param]
    connection = sqlite3.connect(tmp_path / "hub.db")
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.execute(sql)
    connection.commit()
    connection.close()
    return tmp_path, f"hub.db: written by a newer hub {said}"


COMMANDS = {
    "run": RUN,
    "why Warm": READ,
    "outbox list": READ,
    "outbox retry --all": READ,
    "outbox drop --all": READ,
}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_file_of_a_newer_hub_is_refused_untouched_with_the_sentence_and_1(written, command):
    folder, sentence = written
    before = (folder / "hub.db").read_bytes()
    code, out, err = prefork.run(*command.split(), "-c", "hub.yaml", cwd=folder, env=os.environ | {"NO_COLOR": "1"})
    assert (code, "start hub" in out) == (1, command == "run")
    assert len(out.splitlines()) == (command == "run")
    said = " ".join(err.split())
    assert said == f"hub: {sentence}{COMMANDS[command]}"
    assert (folder / "hub.db").read_bytes() == before


def test_doctor_finds_it_bad_and_says_what_to_do(written):
    folder, sentence = written
    arguments = ("doctor", "-c", "hub.yaml", "--listen", "0", "--json")
    code, out, _ = prefork.run(*arguments, cwd=folder, env=os.environ)
    assert code == 1
    assert sentence.replace("hub.db: written", "hub.db was written") in out
    assert "install that version" in out


def test_the_documentation_has_the_sentence(tmp_path):
    text = " ".join(DOCS.read_text("utf-8").split())
    assert "written by a newer hub (state version 11, this one knows 10)" + RUN in text
    assert "(format 2 of 'silence', this one knows 1)" in text
    Database(tmp_path / "hub.db").close()
    connection = sqlite3.connect(tmp_path / "hub.db")
    assert newer(connection) == ""
    connection.execute("PRAGMA user_version = 11")
    assert re.escape(newer(connection)) in re.escape(text)
    connection.close()
