"""Rule files that vanish, and folders that are swapped, under a running hub: nothing is taken back, and it is told."""

import os
import shutil
import signal
import subprocess

import pytest

from tests.acceptance.scene import document, scene
from tests.support import prefork
from tests.support.hub import QUICK_RELOAD, Hub

HOT = '  - {alert: Hot, topic: "t/{device}", when: value > 30}\n'
TELL = "self_watch: {notify: [bus]}\n"
PATIENCE = 15.0


def emptied(folder):
    for file in list(folder.iterdir()):
        file.unlink()


def renamed(folder):
    folder.rename(folder.with_name("aside"))


def truncated(folder):
    (folder / "rules.yaml").write_text("")


def mounted_over(folder):
    renamed(folder)
    folder.mkdir()


def a_folder_instead(folder):
    emptied(folder)
    (folder / "rules.yaml").mkdir()


def a_pipe_instead(folder):
    emptied(folder)
    os.mkfifo(folder / "rules.yaml")


def a_link_to_nowhere(folder):
    emptied(folder)
    (folder / "rules.yaml").symlink_to("..data/rules.yaml")


def a_file_instead(folder):
    shutil.rmtree(folder)
    folder.write_text("")


def links_in_a_circle(folder):
    shutil.rmtree(folder)
    folder.symlink_to(folder.name)


VANISH = {
    emptied: "rules: had 2 rules in 1 file, and has none now (put them back; to remove them all",
    renamed: "rules: no such file or folder",
    truncated: "rules/rules.yaml: is empty, and was not before",
    mounted_over: "rules: had 2 rules in 1 file, and has none now",
    a_folder_instead: "rules/rules.yaml: cannot be read: Is a directory",
    a_pipe_instead: "rules/rules.yaml: cannot be read: it is a pipe, no file",
    a_link_to_nowhere: "rules/rules.yaml: cannot be read: No such file or directory (it is a link to what is not there",
    a_file_instead: "rules: had 2 rules in 1 file, and has none now",
    links_in_a_circle: "rules: cannot be read: Too many levels of symbolic links",
}


def remove(path):
    if path.is_symlink() or path.is_file():
        path.unlink()
    else:
        shutil.rmtree(path, ignore_errors=True)


@pytest.mark.parametrize("vanish", VANISH, ids=lambda each: each.__name__)
async def test_rules_that_vanish_take_nothing_back_are_told_and_good_ones_clear_it(tmp_path, broker, vanish):
    async with scene(tmp_path, broker, HOT, limits=QUICK_RELOAD, settings=TELL) as at:
        folder, good = at.hub.rules.parent, at.hub.rules.read_text()
        await at.send("t/1", 31)
        await at.notified("Hot", "firing")
        vanish(folder)
        told = await at.notified("HubRulesRefused", "firing", within=PATIENCE)
        assert VANISH[vanish].partition(" (")[0] in told["details"]
        await at.hub.says(" trouble reload: ", VANISH[vanish])
        at.hub.signal(signal.SIGHUP)  # asking for it does not make it so
        await at.send("t/2", 31)
        await at.notified("Hot", "firing", device="2", within=PATIENCE)  # the old rules go on
        assert not at.notifications("Hot", "resolved")
        remove(folder)
        folder.mkdir()
        at.hub.rules.write_text(good)
        await at.notified("HubRulesRefused", "resolved", within=PATIENCE)
        await at.send("t/2", 29)
        assert (await at.notified("Hot", "resolved", within=PATIENCE, device="2"))["reason"] == "cleared"
        assert not at.notifications("Hot", "resolved", device="1")
        at.hub.rules.write_text(good.replace(HOT, ""))  # and now on purpose
        assert (await at.notified("Hot", "resolved", within=PATIENCE, device="1"))["reason"] == "rule removed"
        assert await at.hub.stop() == 0
        assert not at.hub.errors


async def test_one_file_of_several_that_is_removed_on_purpose_ends_its_alerts(tmp_path, broker):
    async with scene(tmp_path, broker, "", limits=QUICK_RELOAD) as at:
        hot = at.hub.rules.with_name("hot.yaml")
        hot.write_text(f"rules:\n{HOT}".replace("}\n", ", notify: [bus]}\n"))
        await at.hub.says(" reloaded ", "2 rules")
        await at.send("t/1", 31)
        await at.notified("Hot", "firing", within=PATIENCE)
        hot.unlink()
        assert (await at.notified("Hot", "resolved", within=PATIENCE))["reason"] == "rule removed"


async def test_all_rules_are_removed_where_a_file_says_so(tmp_path, broker):
    async with scene(tmp_path, broker, HOT, limits=QUICK_RELOAD) as at:
        await at.send("t/1", 31)
        await at.notified("Hot", "firing")
        at.hub.rules.write_text(document("").partition("rules:")[0] + "rules: []\n")
        assert (await at.notified("Hot", "resolved", within=PATIENCE))["reason"] == "rule removed"
        await at.hub.says(" trouble rules: 0 rules in rules: no event fires anything")


async def test_rules_that_vanished_while_the_hub_was_off_are_not_taken_for_removed(tmp_path, broker):
    async with scene(tmp_path, broker, HOT) as at:
        good = at.hub.rules.read_text()
        await at.send("t/1", 31)
        await at.notified("Hot", "firing")
        assert await at.hub.stop() == 0
        emptied(at.hub.rules.parent)
        await at.hub.start(connected=False)
        assert await at.hub.ended() == 1
        (said,) = at.hub.errors
        assert said.startswith("rules: had 2 rules in 1 file, and has none now (put them back; to remove them all")
        at.hub.rules.write_text(good)
        await at.hub.start()
        await at.send("t/1", 29)
        assert (await at.notified("Hot", "resolved"))["reason"] == "cleared"


CONFIGMAP = "as Kubernetes mounts a ConfigMap"


@pytest.mark.parametrize("how", [CONFIGMAP, "ln -sfn", "mv"])
async def test_a_folder_that_is_swapped_is_seen_each_time(tmp_path, broker, how):
    async with scene(tmp_path, broker, HOT, limits=QUICK_RELOAD) as at:
        folder, text = at.hub.rules.parent, at.hub.rules.read_text()
        for number in range(1, 5):
            said = len(at.hub.lines)
            swap(folder, f"v{number}", text.replace("> 30", f"> 3{number}"), how)
            await at.hub.says(" reloaded ", "2 rules", after=said)
            await at.send(f"t/{number}", 30 + number)
            await at.send(f"t/{number}", 31 + number)
            told = await at.notified("Hot", "firing", device=str(number), within=PATIENCE)
            assert told["event"]["payload"] == 31 + number
        assert not [line for line in at.hub.lines if " trouble " in line]


def swap(folder, name, text, how):
    """Let another version of the files take the place of the one that is there, in one step."""
    if how == CONFIGMAP:
        made = folder / f"..{name}"
        made.mkdir()
        (made / "rules.yaml").write_text(text)
        (folder / "..data_tmp").symlink_to(f"..{name}")
        before = (folder / "..data").resolve() if (folder / "..data").exists() else None
        (folder / "..data_tmp").rename(folder / "..data")
        if before is None:
            (folder / "tmp").symlink_to("..data/rules.yaml")
            (folder / "tmp").rename(folder / "rules.yaml")
        else:
            shutil.rmtree(before)
        return
    made = folder.with_name(name)
    made.mkdir()
    (made / "rules.yaml").write_text(text)
    if how == "mv":
        folder.rename(folder.with_name(f"before-{name}"))
        made.rename(folder)
        return
    if not folder.is_symlink():
        folder.rename(folder.with_name("v0"))
    subprocess.run(["ln", "-sfn", name, folder], check=True)


async def test_the_devices_folder_is_read_when_it_comes_and_is_missed_when_it_goes(tmp_path, broker):
    owned = '  - {alert: Owned, topic: "t/{unit}", when: "value > device.limit"}\n'
    fleet = "fleet: f\ntopic: t/{device}\nevery: 10s\nattributes: {limit: 30}\ndevices: [{device: 1}]\n"
    devices = tmp_path / "devices"
    async with scene(tmp_path, broker, owned, limits=QUICK_RELOAD) as at:
        devices.mkdir()
        (devices / "fleet.yaml").write_text(fleet)
        await at.hub.says(" reloaded ")
        await at.send("t/1", 31)
        await at.notified("Owned", "firing")
        remove(devices)
        await at.hub.says(" trouble reload: ", "devices: had 1 fleet in 1 file, and has none now")
        assert await at.hub.stop() == 0
        await at.hub.start(connected=False)
        assert await at.hub.ended(20) == 1
        assert "devices: had 1 fleet in 1 file, and has none now" in "".join(at.hub.errors)


async def test_a_hub_without_rules_starts_says_so_and_takes_those_that_are_written_then(tmp_path, broker):
    hub = Hub(tmp_path, broker, "", limits=QUICK_RELOAD)
    hub.rules.unlink()
    async with hub:
        await hub.says(" trouble rules: 0 rules in rules: no event fires anything until one is written there")
        hub.rules.write_text(document(HOT))
        await hub.says(" reloaded ", "2 rules")
        assert await hub.stop() == 0


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "rules: 0 rules: a hub with these files tells nobody of any event (write one there"),
        ("receivers: {log: {file: {path: out}}}\n", "rules: 0 rules: "),
        ("rules: []\n", ""),
    ],
)
def test_check_finds_that_there_are_no_rules_unless_a_file_says_so(tmp_path, text, says):
    (tmp_path / "rules").mkdir()
    if text is not None:
        (tmp_path / "rules" / "a.yaml").write_text(text)
    code, out, err = prefork.run("check", cwd=tmp_path, env=os.environ)
    assert says in out
    assert code == (1 if says else 0), out
    assert err.startswith("times are told in ")
