"""`hub import` as a shell sees it: where the rules go, where the remarks go, and how it ends."""

import pytest

from hub.importers import IMPORTERS
from hub.operate.cli.importing import ImportFormat
from tests.importers.support import SAMPLES
from tests.operate.test_cli import hub

INI = "[config:file]\ntargets = {'log': ['/tmp/log']}\n[a/b]\ntargets = file:log, mysql:m\n"
RULES = "  - event: a_b\n"


@pytest.fixture
def ini(tmp_path):
    (tmp_path / "mqttwarn.ini").write_text(INI)
    return tmp_path / "mqttwarn.ini"


def test_every_importer_is_a_format():
    assert {each.value for each in ImportFormat} == set(IMPORTERS)


def test_rules_go_to_standard_output_and_remarks_to_standard_error(ini):
    code, out, err = hub("import", "mqttwarn", ini.name, cwd=ini.parent)
    assert code == 0
    assert RULES in out
    assert err.splitlines() == [
        (
            "mqttwarn.ini:4:1: [a/b] target mysql:m: no receiver for the service mysql; see docs/receivers.md, "
            "a webhook or an Apprise URL may do"
        ),
        "1 rule, 1 receiver; 1 thing not carried over",
    ]


def test_a_file_is_written_never_over_another_one_and_passes_hub_check(ini):
    folder = ini.parent
    assert hub("import", "mqttwarn", ini.name, "-o", "out.yaml", cwd=folder)[:2] == (0, "")
    first = (folder / "out.yaml").read_text()
    assert RULES in first
    code, out, err = hub("check", "out.yaml", cwd=folder)
    assert (code, err) == (0, "")
    assert out.splitlines()[0].startswith("out.yaml:11:3: note: an import has left something out: [a/b] target mysql:m")
    assert out.splitlines()[1:] == ["no problems"]
    ini.write_text(INI.replace("a/b", "c/d"))
    code, _, err = hub("import", "mqttwarn", ini.name, "-o", "out.yaml", cwd=folder)
    assert (code, (folder / "out.yaml").read_text()) == (2, first)
    assert "out.yaml exists; --force overwrites it" in " ".join(err.split())
    assert hub("import", "mqttwarn", ini.name, "-o", "out.yaml", "--force", cwd=folder)[0] == 0
    assert "c_d" in (folder / "out.yaml").read_text()


def test_variables_to_set_are_told():
    code, _, err = hub("import", "homeassistant", SAMPLES / "configuration.yaml")
    assert code == 0
    assert "set RYANS_PHONE_URL: hassio://homeassistant.local:8123/ACCESS_TOKEN/ryans_phone\n" in err


@pytest.mark.parametrize(
    ("content", "form", "told"),
    [
        (b"x\xff\n", "mqttwarn", "f:1:1: not UTF-8 text"),
        (b"x = 1\n", "mqttwarn", "f:1:1: not INI"),
        (b"a: 1\n", "homeassistant", "f: no alert"),
        (b"a: [\n", "prometheus", "f:2:1: not YAML"),
    ],
)
def test_a_file_of_which_nothing_can_be_read_ends_with_1_and_its_place(tmp_path, content, form, told):
    (tmp_path / "f").write_bytes(content)
    code, out, err = hub("import", form, "f", cwd=tmp_path)
    assert (code, out) == (1, "")
    assert err.startswith(told)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["mqttwarn"], "FILE"),
        (["mqttwarn", "nowhere"], "nowhere' does not exist"),
        (["nagios", "pyproject.toml"], "'nagios'"),
        (["mqttwarn", "tests/importers/samples/mqttwarn.ini", "-o", "no/such/folder"], "cannot be written"),
    ],
)
def test_wrong_usage_ends_with_2(arguments, told):
    code, out, err = hub("import", *arguments)
    assert (code, out) == (2, "")
    assert told in " ".join(err.split())
