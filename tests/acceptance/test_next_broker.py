"""A hub whose broker has several addresses: events, the desk and the command line go on at the next one."""

import os

from hub.operate.mosquitto import free_port
from tests.support import prefork
from tests.support.hub import Hub
from tests.support.mqtt import client
from tests.support.proxy import Proxy

RULES = """
rules:
  - alert: Hot
    topic: t/{device}
    when: value > 30
    notify: []
    summary: "{device} has {value} °C"
"""


async def cli(hub, *arguments):
    env = os.environ | {"PASSWORD": hub.broker.settings("hub").password.reveal(), "NO_COLOR": "1"}
    process = await prefork.start(*arguments, cwd=hub.folder, env=env)
    out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


async def test_a_hub_goes_on_at_the_next_address_and_so_do_its_desk_and_the_command_line(tmp_path, broker):
    nobody = free_port()
    async with Proxy(broker.port) as first, Proxy(broker.port) as second:
        hub = Hub(tmp_path, broker, RULES)
        ports = (nobody, first.port, second.port)
        one, urls = f"'mqtt://127.0.0.1:{broker.port}'", [f"mqtt://127.0.0.1:{port}" for port in ports]
        hub._settings = hub._settings.replace(one, str(urls))
        hub.configure("")
        async with hub, client(broker.settings("device"), "sensor") as device:
            await hub.says(" start ", f"broker {', '.join(urls)}, rules")
            await hub.says(" disconnected ", f"{urls[0]} cannot be reached")
            await hub.says(f" connected new session at {urls[1]}")
            await device.publish("t/1", "31")
            await hub.says(" firing warning Hot device=1: 1 has 31 °C")
            first._server.close()
            first.cut()
            await hub.says(f" connected resumed session at {urls[2]}")
            await device.publish("t/2", "32")
            await hub.says(" firing warning Hot device=2: 2 has 32 °C")
            code, out, err = await cli(hub, "ack", "Hot", "--by", "ann")
            assert (code, err) == (0, "")
            assert out.count("Hot") == 2
            assert sum(" firing warning Hot" in line for line in hub.lines) == 2


async def test_a_request_that_no_hub_answers_names_the_address_that_was_asked(tmp_path, broker):
    urls = f"[mqtt://127.0.0.1:{free_port()}, mqtt://127.0.0.1:{broker.port}]"
    (tmp_path / "hub.yaml").write_text(f"broker: {{url: {urls}, username: hub, password: !env PASSWORD}}\n", "utf-8")
    env = os.environ | {"PASSWORD": broker.settings("hub").password.reveal(), "NO_COLOR": "1"}
    process = await prefork.start("ack", "Hot", "--by", "ann", cwd=tmp_path, env=env)
    _, err = await process.communicate()
    assert process.returncode == 3
    assert "no hub answered within" in err.decode()
    assert f"on mqtt://127.0.0.1:{broker.port}, topic hub/command/ack" in err.decode()
