"""A hub without the package `cryptography`, as `pip install` without extras makes it, and URLs that ask to encrypt."""

import asyncio
import os
import sys

from tests.support.hub import ROOT

WITHOUT = """
import sys

class Without:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"cryptography", "nacl", "pgpy"}:
            raise ImportError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Without())
from hub.operate.cli import main
sys.argv[0] = "hub"
main()
"""
USER, TOKEN, KEY = "u" * 30, "t" * 30, "c" * 64
ENCRYPTION, PGP = (f"(pip install 'mqtt-notification-hub[{extra}]'" for extra in ("encryption", "pgp"))


LACKING = {
    f"'pover://{USER}@{TOKEN}?key={KEY}'": ENCRYPTION,
    "'matrixs://me:pw@matrix.example/%23room'": ENCRYPTION,
    "'bark://bark.example/device?key=0123456789abcdef'": ENCRYPTION,
    "'spush://pw@HPAPI/topic'": ENCRYPTION,
    "'fcm://apikey/device'": ENCRYPTION,
    f"'nostr://{'1' * 64}/{'2' * 64}'": ENCRYPTION,
    "'mailto://me:pw@example.org?pgp=encrypt'": PGP,
    "{webpush: {}}": "(pip install 'mqtt-notification-hub[webpush]'",
}
PLAIN = [f"'pover://{USER}@{TOKEN}'", "'mailto://me:pw@example.org'", "'ntfys://n.example/t'"]


async def check(folder, receivers):
    """Run `hub check` on rules with these receivers, each on a line of its own; return its code and what it says."""
    (folder / "rules").mkdir()
    lines = [f"  r{number}: {receiver}" for number, receiver in enumerate(receivers)]
    notified = [f"r{number}" for number in range(len(receivers))]
    text = "\n".join(["receivers:", *lines, f"rules: [{{event: A, topic: a, notify: [{', '.join(notified)}]}}]", ""])
    (folder / "rules" / "rules.yaml").write_text(text)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", WITHOUT, "check"),
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out = (await asyncio.wait_for(process.communicate(), 60))[0].decode()
    assert "Traceback" not in out
    return process.returncode, out


async def test_what_cannot_be_encrypted_is_refused_with_its_place_and_the_extra(tmp_path):
    code, out = await check(tmp_path, [*LACKING, *PLAIN])
    assert code == 1
    told = [line for line in out.splitlines() if "rules.yaml:" in line]
    assert len(told) == len(LACKING)
    for number, (line, remedy) in enumerate(zip(told, LACKING.values(), strict=True)):
        assert f"rules.yaml:{number + 2}:" in line
        assert remedy in line
    assert KEY not in out


async def test_what_asks_for_nothing_that_is_missing_is_taken(tmp_path):
    code, out = await check(tmp_path, PLAIN)
    assert code == 0, out
