"""An importer on a text or a sample, and what `hub check` and the loader make of what comes out."""

from dataclasses import dataclass
from pathlib import Path

from hub.app import check
from hub.documents.document import Problems
from hub.errors import ConfigError
from hub.importers import IMPORTERS
from hub.notify.receiver_settings import read_receivers
from hub.rules.reading.loader import load_rules

SAMPLES = Path(__file__).parent / "samples"
URLS = {  # what a user would put into the variables, as Apprise takes it
    "tgram": "tgram://123456789:AbCdefghijklmnopqrstuvwxyz0123456/12345",
    "twilio": f"twilio://AC{'0' * 32}:TOKEN@+15105551234/+12125551234",
    "slack": "slack://xoxb-1234-1234-4ddbc191d40ee098cbaae6f3523ada2d/#general",
    "prowl": f"prowl://{'a' * 40}",
    "discord": "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js",
    "mailtos": "mailtos://user:pass@mail.example.org?to=foo@example.org",
    "json": "json://localhost:1234/hook",
}


@dataclass
class Tried:
    """What an importer made: its text, the rules as a mapping by name, the remarks as texts."""

    text: str
    rules: dict
    receivers: dict
    remarks: list
    variables: dict
    problems: list
    notes: list

    def remarked(self, *words):
        """Return the one remark with these words."""
        (found,) = [each for each in self.remarks if all(word in each for word in words)]
        return found


def value_for(env):
    """Return something that belongs into a variable, by what the importer says of it."""
    scheme = env.holds.partition("://")[0]
    return URLS.get(scheme) or (env.holds if "://" in env.holds else "https://host.example.org/hook")


def sample(name):
    return (SAMPLES / name).read_text("utf-8")


def outcome(form, text):
    """Import a text; return what came out, or the problems."""
    try:
        return IMPORTERS[form](text, "in.txt").text
    except ConfigError as error:
        return error.problems


def tried(form, text, folder, monkeypatch, name="in.txt"):
    """Import a text, and check and load the outcome with every variable set."""
    made = IMPORTERS[form](text, name)
    for env in made.variables:
        monkeypatch.setenv(env.name, value_for(env))
    path = folder / "out.yaml"
    path.write_text(made.text, "utf-8")
    problems = Problems()
    loaded = load_rules([path], problems, read_receivers, "hub", keep=True)
    rules = {key: node.plain() for key, node in loaded.nodes.items()}
    assert len(rules) == made.rules, problems
    return Tried(
        made.text,
        rules,
        dict(loaded.receivers),
        [str(each) for each in made.remarks],
        {env.name: env.holds for env in made.variables},
        [*map(str, problems), *map(str, check(None, [path]))],
        [each for each in check(None, [path], notes=True) if each.note],
    )
