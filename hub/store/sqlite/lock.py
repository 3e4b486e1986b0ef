"""Locks the state file for one hub at a time, by whatever name it is opened; sees whether it is still the same file.

There are two locks. Both belong to the process and end with it, however it ends. One is on a file beside the state
file, which says who holds it. The other is on the state file itself, hence on its inode: it holds through hard links,
and where somebody removes the file beside it. It is a flock, of which SQLite's own locks (fcntl) know nothing on Linux.
But SQLite's locks are lost when *any* descriptor of the file is closed in this process (POSIX). So our descriptor is
opened before SQLite's and closed after it, and nobody else may open one.
"""

import contextlib
import errno
import fcntl
import os
import stat
import sys
from pathlib import Path
from typing import NamedTuple

from hub.errors import StoreBusy, StoreLocked, StoreUnusable
from hub.limits import STORE_LOCK_SECONDS

__all__ = ["FINE", "Lock", "Wrong", "kind_of"]

_MAGIC = b"SQLite format 3\x00"
_STOPPING = "stopping"
_MENDS_ITSELF = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_REMEDIES = {
    **dict.fromkeys((errno.EACCES, errno.EPERM), "; let the user that the hub runs as write it and its folder"),
    errno.EROFS: "; name one on a disk that can be written, with --state",
    errno.ELOOP: "; links lead in a circle: mend them, or name another with --state",
    errno.ENOTDIR: "; a part of its path is no folder: name another with --state",
    errno.EEXIST: "; a part of its path is no folder: name another with --state",
    errno.ENAMETOOLONG: "; name another with --state",
}
_KINDS = {
    stat.S_IFDIR: "Is a directory",
    stat.S_IFIFO: "it is a pipe, no file",
    stat.S_IFSOCK: "it is a socket, no file",
    stat.S_IFCHR: "it is a device, no file",
    stat.S_IFBLK: "it is a device, no file",
}


class Wrong(NamedTuple):
    """What is wrong with an open state file, "" where nothing is; `mends`: to write the file again repairs it."""

    text: str = ""
    mends: bool = False


FINE = Wrong()


def kind_of(path: Path) -> str:
    """Say why this cannot be a state file, "" where it can be or is not there. To open a pipe would wait for ever.

    Raises:
        OSError: it cannot be looked at.

    """
    try:
        return _KINDS.get(stat.S_IFMT(path.stat().st_mode), "")
    except FileNotFoundError:
        return ""


class Lock:
    """Held from before SQLite opens the file until after SQLite has closed it."""

    def __init__(self, path: Path) -> None:
        """Take the locks, and make the file where there is none.

        Raises:
            StoreLocked: another hub has the file.
            StoreBusy: the file cannot be had yet: that hub is just stopping, or the disk is full.
            StoreUnusable: it cannot be opened, or is no file.

        """
        self.path = path
        self._numbers: list[int] = []
        self._wal: tuple[int, int] | None = None
        self._largest = 0
        try:
            self._take(Path(os.path.realpath(path)))
        except OSError as error:
            self.close()
            kind = StoreBusy if error.errno in _MENDS_ITSELF else StoreUnusable
            hint = _REMEDIES.get(error.errno or 0, "")
            raise kind(f"{path}: cannot be used as the state file: {error.strerror}{hint}") from None
        except BaseException:
            self.close()
            raise

    def _take(self, place: Path) -> None:
        if why := kind_of(place):
            raise StoreUnusable(f"{self.path}: cannot be used as the state file: {why}; name another with --state")
        place.parent.mkdir(parents=True, exist_ok=True)
        self._beside = self._open(place.with_name(place.name + ".lock"))
        self._lock(self._beside, _owner(self._beside))
        self._say(str(os.getpid()))
        self.number = self._open(place)
        self._on_inode = sys.platform == "linux"  # elsewhere a flock and SQLite's own locks exclude each other
        if self._on_inode:
            self._lock(self.number, "under another name")

    def _open(self, place: Path) -> int:
        number = os.open(place, os.O_CREAT | os.O_RDWR | os.O_NONBLOCK, 0o600)
        self._numbers.append(number)
        return number

    def _lock(self, number: int, owner: str) -> None:
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pass
        else:
            return
        who = f"{self.path}: another hub ({owner}) has this state file open"
        if _is_ending(owner):
            raise StoreBusy(who, STORE_LOCK_SECONDS)
        raise StoreLocked(f"{who}; stop it or name another with --state")

    def _say(self, text: str) -> None:
        os.ftruncate(self._beside, 0)
        os.pwrite(self._beside, text.encode(), 0)

    def stopping(self) -> None:
        """Write into the lock file that we are stopping: the next hub then waits and does not give up."""
        with contextlib.suppress(OSError):
            self._say(f"{os.getpid()} {_STOPPING}")

    def let_sqlite_in(self) -> bool:
        """Give up the lock on the file itself; tell whether there was one.

        NFS makes no difference between flock and fcntl, so our own lock shuts SQLite out there.
        """
        given_up, self._on_inode = self._on_inode, False
        if given_up:
            fcntl.flock(self.number, fcntl.LOCK_UN)
        return given_up

    def close(self) -> None:
        """Release both locks."""
        while self._numbers:
            os.close(self._numbers.pop())

    # whether it is still the same file

    def opened(self) -> None:
        """Note the file's size and which file SQLite's log is, once both are open; the log stays from then on."""
        self._largest = os.fstat(self.number).st_size
        with contextlib.suppress(OSError):
            self._wal = _identity(self._log.stat())

    @property
    def _log(self) -> Path:
        return Path(f"{os.path.realpath(self.path)}-wal")

    def wrong(self) -> Wrong:
        """Say what somebody has done to the file since it was opened. Called in the writer's thread.

        Raises:
            OSError: it cannot be looked at.

        """
        own = os.fstat(self.number)
        if not self.path.exists():
            return Wrong(f"{self.path} is gone", mends=True)  # SQLite still has all of it
        if _identity(self.path.stat()) != _identity(own):
            return Wrong(f"{self.path} is another file now")  # perhaps a backup that was brought in: do not replace it
        if self._is_cut(own.st_size):
            return Wrong(f"{self.path} was cut or written over: {own.st_size:,} bytes are left")
        if self._wal is not None:
            with contextlib.suppress(FileNotFoundError):
                if _identity(self._log.stat()) == self._wal:
                    return FINE
            return Wrong(f"{self.path}-wal, a part of the state, is gone or another file now", mends=True)
        return FINE

    def _is_cut(self, size: int) -> bool:
        """Tell whether the file became shorter than its own head says: a VACUUM makes it shorter, too, and says so.

        Where a full disk keeps SQLite from moving its log into the file, the file was always too short, and is not cut.
        """
        before, self._largest = self._largest, max(self._largest, size)
        if size >= before:
            return False
        head = os.pread(self.number, 100, 0)
        pages, page = int.from_bytes(head[28:32], "big"), int.from_bytes(head[16:18], "big")
        if head.startswith(_MAGIC) and size >= pages * (65536 if page == 1 else page):  # 1: fileformat2.html, 1.3.2
            self._largest = size
            return False
        return True


def _identity(at: os.stat_result) -> tuple[int, int]:
    return at.st_dev, at.st_ino


def _owner(number: int) -> str:
    """Say which process holds the lock, as far as the lock file tells."""
    text = os.pread(number, 100, 0).decode(errors="replace").strip()
    return f"process {text.replace(' ', ', ')}" if text else "process unknown"


def _is_ending(owner: str) -> bool:
    """Tell whether the owner is about to release it: it says so, or was killed and the kernel has not finished."""
    if owner.endswith(_STOPPING):
        return True
    try:
        os.kill(int(owner.removeprefix("process ")), 0)
    except ProcessLookupError:
        return True
    except (ValueError, OverflowError, PermissionError):
        return False
    return False
