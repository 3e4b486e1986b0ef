"""hub/broker.py: the shipped configuration runs, and its users and ACL hold."""

import pytest

from hub import broker as module
from hub.broker import Mosquitto
from hub.errors import HubError


async def test_it_starts_on_a_free_port_and_again_on_the_same_after_a_kill(broker):
    port, pid = broker.port, broker.pid
    await broker.kill()
    assert broker.pid == 0
    await broker.start()
    assert broker.port == port
    assert broker.pid not in (0, pid)


async def test_a_port_taken_in_between_is_left_for_another(tmp_path, broker, monkeypatch):
    ports = iter([broker.port, broker.port])
    free = module._free_port
    monkeypatch.setattr(module, "_free_port", lambda: next(ports, None) or free())
    async with Mosquitto(tmp_path / "second") as second:
        assert second.port != broker.port


async def test_a_line_it_does_not_know_is_reported_with_its_own_words(tmp_path):
    with pytest.raises(HubError, match=r"Unknown configuration variable.*frobnicate"):
        await Mosquitto(tmp_path, extra=["frobnicate true"]).start()


async def test_without_mosquitto_the_error_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setattr(module, "_PLACES", ())
    with pytest.raises(HubError, match="apt-get install mosquitto"):
        await Mosquitto(tmp_path).start()


async def test_only_port_paths_and_user_differ_from_the_shipped_file(broker):
    shipped = set(module.shared("mosquitto.conf").read_text().splitlines())
    ours = set((broker.directory / "mosquitto.conf").read_text().splitlines())
    changed = {line.split(" ")[0] for line in shipped ^ ours}
    assert changed <= {"listener", "password_file", "acl_file", "persistence_location", "user"}
