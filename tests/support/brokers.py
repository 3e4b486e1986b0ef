"""Brokers other than the shipped one: with TLS, with subscriptions denied, and one that only says what a test wants."""

import asyncio
import json
import os
import signal
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from hub.operate.mosquitto import Mosquitto

PLUGINS = ["/usr/lib/*/mosquitto_dynamic_security.so", "/opt/homebrew/lib/mosquitto_dynamic_security.so"]


def denying(directory, *allowed):
    """Return a Mosquitto whose user `hub` may subscribe to what matches `allowed` and to nothing else.

    Mosquitto 2.0's acl_file never denies a subscription, it only delivers nothing; its dynamic security plugin does.
    """
    directory.mkdir(exist_ok=True)
    (plugin,) = [path for pattern in PLUGINS for path in Path("/").glob(pattern[1:])]
    rules = directory / "dynamic-security.json"
    access = {"publishClientSend": True, "publishClientReceive": True, "subscribe": False, "unsubscribe": True}
    acls = [{"acltype": "subscribePattern", "topic": each, "allow": True} for each in allowed]
    roles = [{"rolename": "reader", "acls": acls}]
    clients = [{"username": "hub", "roles": [{"rolename": "reader"}]}]
    rules.write_text(json.dumps({"defaultACLAccess": access, "clients": clients, "roles": roles}))
    extra = [f"plugin {plugin}", f"plugin_opt_config_file {rules}"]
    return Mosquitto(directory / "broker", replace={"acl_file": None}, extra=extra)


@contextmanager
def frozen(broker):
    """Let the broker hang: its connections stand, its port takes new ones, and it does nothing."""
    pid = broker.pid
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@asynccontextmanager
async def scripted(*scripts):
    """Listen and play to each connection in turn the next script (the last one again and again).

    A script is bytes to send after the first packet has come, or an async function of (reader, writer).
    Yields the port.
    """
    turns = iter(scripts)
    current = scripts[-1]
    tasks = set()

    async def serve(reader, writer):
        tasks.add(asyncio.current_task())
        script = next(turns, current)
        try:
            await reader.read(1 << 16)
            if isinstance(script, bytes):
                writer.write(script)
                await reader.read()
            else:
                await script(reader, writer)
        except (OSError, EOFError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
