"""Processes of the hub that start in a tenth of the time: forked from one that has imported it.

Importing the hub takes most of a start, and the tests start it hundreds of times. A parent, one for each set of limits
in each pytest process, imports once and forks a child for each start; the child has its own folder, environment,
arguments and output, and ends as `python -m hub` ends. A file of its own: the parent runs it as a script.
"""

import asyncio
import gc
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections import OrderedDict
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).parents[2]
LATE = "typer._adapters", "hub.operate.api.front.server"
"""What a command imports only as it goes on: at its first option, and where it begins to listen."""
PARENTS = 4  # that are kept, the last used: each holds some 60 MB
RUN_SECONDS = 120

_parents = OrderedDict()


class Process:
    """A forked hub, as asyncio.subprocess.Process is for one that was started."""

    def __init__(self, pid, stdout, stderr, control):
        self.pid, self.stdout, self.stderr, self.returncode = pid, stdout, stderr, None
        self._end = asyncio.create_task(self._watch(*control))

    async def _watch(self, reader, writer):
        self.returncode = int(await reader.readline())
        writer.close()  # from here its number may be another's

    def send_signal(self, which):
        if self.returncode is None:
            os.kill(self.pid, which)

    def kill(self):
        self.send_signal(signal.SIGKILL)

    def terminate(self):
        self.send_signal(signal.SIGTERM)

    async def wait(self):
        """Wait for its end and return its exit code, or the number of the signal that ended it below 0."""
        await asyncio.shield(self._end)
        return self.returncode

    async def communicate(self):
        """Return what it still says on stdout and on stderr, once it has ended."""
        said = await asyncio.gather(self.stdout.read(), self.stderr.read())
        await self.wait()
        return said


async def start(*arguments, cwd, env, limits=None, before=""):
    """Start `hub ARGUMENTS` with these limits, behind this program, and return its Process."""
    (out, out_end), (err, err_end) = os.pipe(), os.pipe()
    with Path(os.devnull).open("rb") as nothing, os.fdopen(out_end, "wb") as said, os.fdopen(err_end, "wb") as wrong:
        control = _fork((nothing, said, wrong), limits or {}, arguments, cwd, env, before)
    reader, writer = await asyncio.open_unix_connection(sock=control)
    pid = int(await reader.readline())
    return Process(pid, await _stream(out), await _stream(err), (reader, writer))


def run(*arguments, cwd, env, stdin=b""):
    """Run `hub ARGUMENTS` to its end; return (exit code, stdout, stderr)."""
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        given.write(stdin)
        given.seek(0)
        with _fork((given, out, err), {}, arguments, cwd, env) as control, control.makefile() as lines:
            control.settimeout(RUN_SECONDS)
            _, code = lines.readline(), int(lines.readline())
        return code, _all_of(out), _all_of(err)


def _all_of(file):
    file.seek(0)
    return file.read().decode()


def _fork(files, limits, arguments, cwd, env, before=""):
    """Have a hub forked with these as stdin, stdout and stderr; return the socket that says its number and its end."""
    ours, theirs = socket.socketpair()
    with theirs:
        socket.send_fds(_parent(limits), [b"!"], [each.fileno() for each in (*files, theirs)])
    request = {"arguments": list(map(str, arguments)), "cwd": str(cwd), "env": dict(env), "before": before}
    ours.sendall(json.dumps(request).encode() + b"\n")
    return ours


async def _stream(descriptor):
    reader = asyncio.StreamReader()
    pipe = os.fdopen(descriptor, "rb", 0)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipe)
    return reader


def _parent(limits):
    """Return the socket of the parent that has imported the hub with these limits, which is started where none is."""
    key = json.dumps(limits, sort_keys=True)
    if key not in _parents:
        ours, theirs = socket.socketpair()
        with theirs:
            program = (sys.executable, __file__, str(theirs.fileno()), key)
            process = subprocess.Popen(program, cwd=ROOT, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()])
        _parents[key] = process, ours
    _parents.move_to_end(key)
    end(PARENTS)
    return _parents[key][1]


def end(kept=0):
    """End the parents except for the last used; hubs that run go on."""
    while len(_parents) > kept:
        process, door = _parents.popitem(last=False)[1]
        door.close()
        process.wait()


def serve(door, limits):
    """Import the hub and fork for each request; return only in a child, ready to be `hub` with its arguments."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # ends with its door, also where somebody ends pytest with Ctrl-C
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    module = import_module("hub.limits")
    for name, value in limits.items():
        assert hasattr(module, name), name
        setattr(module, name, value)
    commands = import_module("hub.operate.cli").COMMANDS.values() if not limits else ["run:run"]
    for name in [*("hub.operate.cli." + each.partition(":")[0] for each in commands), *LATE]:
        import_module(name)
    if not limits:  # the others start few; at its first URL Apprise imports 160 modules
        plugins = import_module("apprise.manager_plugins")
        plugins.NotificationManager().load_modules()
    gc.collect()
    gc.freeze()  # a child's own collections, the last one at its end above all, need not copy what it shares with this
    while True:
        word, descriptors, *_ = socket.recv_fds(door, 1, 4)
        if not word:
            os._exit(0)
        if not os.fork():
            door.close()
            return _child(*descriptors)
        for descriptor in descriptors:
            os.close(descriptor)


def _end_with(line, pid):
    """Wait for the end of a hub, and end it where whoever has started it is gone: nobody is on the line (on Linux)."""
    if hasattr(os, "pidfd_open"):
        ended = os.pidfd_open(pid)
        if ended not in select.select([ended, line], [], [])[0]:
            os.kill(pid, signal.SIGKILL)
            os._exit(0)  # there is nobody to tell
        os.close(ended)


def _child(given, out, err, control):
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with socket.socket(fileno=control) as line, line.makefile("r") as requests:
        request = json.loads(requests.readline())
        if pid := os.fork():
            for descriptor in (given, out, err):
                os.close(descriptor)
            line.sendall(f"{pid}\n".encode())
            _end_with(line, pid)
            # the number stays its own until the test has heard of the end: a signal never meets another process
            ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
            line.sendall(f"{ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status}\n".encode())
            requests.read()
            os._exit(0)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, descriptor in enumerate((given, out, err)):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    sys.stdin, sys.stdout = os.fdopen(0), os.fdopen(1, "w")
    sys.stderr = os.fdopen(2, "w", 1, errors="backslashreplace")
    sys.argv = ["hub", *request["arguments"]]
    exec(request["before"], {})


if __name__ == "__main__":
    sys.path[0] = str(ROOT)
    serve(socket.socket(fileno=int(sys.argv[1])), json.loads(sys.argv[2]))
    import_module("hub.operate.cli").main()
