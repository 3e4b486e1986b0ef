"""Rule files and settings that are meant to hurt: each is a problem in one line with its place, soon."""

import os

import pytest

from tests.support import prefork

# neither for ever nor with all the memory there is
BOUNDED = """
import resource
resource.setrlimit(resource.RLIMIT_CPU, (15, 15))
resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
"""
BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
HURTFUL = {
    "alias bomb": (BOMB, "aliases are not read"),
    "deep sequence": ("rules: " + "[" * 100_000 + "]" * 100_000, "nested deeper than 32"),
    "deep mapping": ("rules:\n" + "".join(" " * n + "a:\n" for n in range(1, 2000)), "nested deeper than 32"),
    "huge": ("# " + "x" * (9 << 20), "larger than 8 MB"),
    "python tag": ('rules: !!python/object/apply:os.system ["touch owned"]', "unknown tag"),
    "binary": ("\0\1\2\3", "not YAML"),
    "self reference": ("rules: &r [*r]", "aliases are not read"),
    "merge": ("a: {<<: {b: 1}}", "unknown key"),
    "deep expression": ('rules: [{event: E, topic: a, when: "' + "(" * 4000 + "1" + ")" * 4000 + '"}]', "nested"),
    "long expression": ('rules: [{event: E, topic: a, when: "' + "1+" * 500_000 + '1"}]', "longer than"),
    "many nots": ('rules: [{event: E, topic: a, when: "' + "!" * 8000 + 'true"}]', "nested"),
    "escape in a name": ('rules: [{event: "\\e[2J", topic: a}]', "printable"),
    "escape in a key": ('"\\e[2Jrules": 1', "unknown key"),
    "deep topic": ("rules: [{event: E, topic: " + "a/" * 40_000 + "}]", "rules.yaml:1:"),
}


@pytest.mark.parametrize("what", HURTFUL)
async def test_it_is_a_problem_in_one_line(tmp_path, what):
    text, expected = HURTFUL[what]
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "rules.yaml").write_text(text)
    process = await prefork.start("check", cwd=tmp_path, env=os.environ, before=BOUNDED)
    out = b"".join(await process.communicate()).decode()
    assert process.returncode == 1, out[-2000:]
    problems = [line for line in out.splitlines() if "rules.yaml" in line]
    assert any(expected in line for line in problems), out[:2000]
    assert "Traceback" not in out
    assert "bug" not in out
    assert len(out) < 20_000
    assert not [char for char in out if ord(char) < 32 and char != "\n"]
    assert not (tmp_path / "owned").exists()
