"""What a user sees of an error: one line and an exit code. An error that a user can cause shows no traceback."""

import contextlib
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

from hub.errors import ConfigError, HubError
from hub.printable import shown

__all__ = ["INTERRUPTED", "guarded"]

INTERRUPTED = 130  # 128 + SIGINT, as shells count
_BUG = 1


@contextlib.contextmanager
def guarded(debug: bool) -> Iterator[None]:
    """Turn what is raised inside into words on stderr, and a SystemExit with the error's exit code."""
    try:
        yield
    except BaseExceptionGroup as group:
        _end(_first(group), debug)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - nothing above would tell it
        _end(error, debug)


def _end(error: BaseException, debug: bool) -> None:
    if isinstance(error, KeyboardInterrupt):  # who presses Ctrl-C knows why it ends
        sys.exit(INTERRUPTED)
    if isinstance(error, BrokenPipeError):
        # nobody reads our output any more, so nothing is said; Python must not flush it at its end
        sys.stdout = sys.stderr
        sys.exit(INTERRUPTED - 2)  # 128: as if ended by a signal
    if isinstance(error, HubError):
        _say(error)
        if debug:
            traceback.print_exception(error)
        sys.exit(error.exit_code)
    _report_bug(error, debug)
    sys.exit(_BUG)


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the first error of a group that a user can do something about, else its first error."""
    leaves = [_first(each) if isinstance(each, BaseExceptionGroup) else each for each in group.exceptions]
    return next((each for each in leaves if isinstance(each, HubError)), leaves[0])


def _say(error: HubError) -> None:
    """Print the error; problems stand one per line without `hub: `, so that editors find file:line:column."""
    prefix = "" if isinstance(error, ConfigError) else "hub: "
    for line in str(error).splitlines() or [type(error).__name__]:
        sys.stderr.write(f"{prefix}{shown(line)}\n")
        prefix = ""


def _report_bug(error: BaseException, debug: bool) -> None:
    """Say that it is a bug; a person on a terminal gets the traceback in a file, a log gets it on stderr."""
    text = "".join(traceback.format_exception(error))
    what = shown(f"{type(error).__name__}: {error}", 300)
    where = ""
    if sys.stderr.isatty() and not debug:
        with contextlib.suppress(OSError):
            where = str(_keep(text))
    sys.stderr.write(f"hub: this is a bug in the hub, please report it: {what}\n")
    sys.stderr.write(f"hub: the details are in {where}\n" if where else text)


def _keep(text: str) -> Path:
    stamp = time.strftime("%Y%m%d-%H%M%S")
    with tempfile.NamedTemporaryFile(
        "w", prefix=f"hub-{stamp}-", suffix=".log", delete=False, encoding="utf-8"
    ) as file:
        file.write(text)
    return Path(file.name)
