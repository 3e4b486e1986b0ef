"""docs/receivers.md: what it shows is read and run, and every key of every kind is in it."""

import re
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from hub.document import Node, Problems, parse_document
from hub.fields import Section
from hub.model import Delivered, Retry
from hub.notify import settings
from tests.notify.fakes import notification, toolbox

TEXT = (Path(__file__).parents[2] / "docs" / "receivers.md").read_text("utf-8")
KINDS = {point.name: point for point in settings.entry_points(group="hub.receivers")}


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


def test_the_receivers_shown_are_read_without_a_problem(monkeypatch):
    for name in ("OPS_TOKEN", "OPS_SECRET", "MAIL_PASSWORD"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("CHAT_URL", "json://localhost/")
    monkeypatch.setenv("SMS_URL", "smseagle://token@localhost/15551231234")
    problems = Problems()
    (yaml,) = blocks("yaml")
    found = settings.read_receivers(parse_document(yaml, "docs", problems).value["receivers"], problems)
    assert problems == []
    assert {each.kind for each in found.values()} == set(KINDS)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_key_of_a_kind_is_documented_in_its_section(kind):
    section = Section(Node({}, "x", 1, 1), Problems(), kind)
    KINDS[kind].load().read(section)
    part = TEXT.split(f"## `{kind}`")[1].split("\n## ")[0]
    assert not {key for key in section.known if f"`{key}`" not in part}


async def test_the_plugin_shown_works(monkeypatch, capsys):
    (code,) = blocks("python")
    namespace = {"__name__": "hub_pigeon"}
    exec(compile(code, "docs/receivers.md", "exec"), namespace)
    monkeypatch.setattr(EntryPoint, "load", lambda _: namespace["Pigeon"])
    point = EntryPoint("pigeon", "hub_pigeon:Pigeon", "hub.receivers")
    monkeypatch.setattr(settings, "entry_points", lambda **_: (point,))
    problems = Problems()
    text = "a: {pigeon: {loft: north}}\nb: {pigeon: {loft: empty}}\nc: {pigeon: {lofd: x}}\n"
    found = settings.read_receivers(parse_document(text, "r.yaml", problems), problems)
    assert [problem.line for problem in problems] == [3, 3]
    assert found["a"].concurrency == 1
    assert await settings.build_receiver(found["a"], toolbox()).send(notification()) == Delivered()
    assert await settings.build_receiver(found["b"], toolbox()).send(notification()) == Retry(
        "all pigeons are out", 600.0
    )
    assert "released with 7 at a" in capsys.readouterr().out
