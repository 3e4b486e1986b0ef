"""A process that runs a fake app under the real runner and the real guard; its argument says how the app behaves."""

import asyncio
import sys
import threading
import time

from hub.errors import BrokerUnreachable, ConfigError, HubError, Problem
from hub.operate.process.one_line_errors import guarded
from hub.operate.process.runner import run_loop, serve


class FakeApp:
    def __init__(self, behaviour):
        self.behaviour = behaviour
        self.stopped = asyncio.Event()

    async def run(self):
        say("ready", type(asyncio.get_running_loop()).__module__)
        errors = {
            "unreachable": BrokerUnreachable("no broker at mqtt://x:1\x1b[2J"),
            "problems": ConfigError([Problem("b.yaml", 2, 3, "bad"), Problem("a.yaml", 1, 1, "worse", "do this")]),
            "bug": ZeroDivisionError("division by zero"),
            "group": ExceptionGroup("tasks", [ValueError("x"), ExceptionGroup("inner", [HubError("disk gone")])]),
        }
        if self.behaviour in errors:
            raise errors[self.behaviour]
        await self.stopped.wait()
        if self.behaviour == "hangs":
            await asyncio.sleep(3600)
        if self.behaviour == "blocks":
            time.sleep(3600)
        if self.behaviour == "thread":
            threading.Thread(target=time.sleep, args=(3600,)).start()
        if self.behaviour == "executor":
            asyncio.get_running_loop().run_in_executor(None, time.sleep, 3600)
        say("drained")

    def stop(self):
        say("stopping")
        self.stopped.set()

    def reload(self):
        say("reloading")


def say(*words):
    print(*words, flush=True)


async def main(behaviour):
    await serve(FakeApp(behaviour), drain_seconds=1.0)


if __name__ == "__main__":
    with guarded("--debug" in sys.argv):
        run_loop(main(sys.argv[1]))
