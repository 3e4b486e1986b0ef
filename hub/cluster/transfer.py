"""A state file on its way into a cluster, or out of it.

Into it: the file becomes a snapshot, and a record in the log says that the state is that of the snapshot from here on.
Out of it: a node's copy without what only a copy has, which a single hub can run with.
"""

import asyncio
import secrets
from pathlib import Path

from hub.cluster.log.log_record import RecordKind, Tip
from hub.cluster.log.replica import TIP_ROW, CopyStore, Replica, tip_row
from hub.cluster.log.row_formats import our_formats
from hub.cluster.log.snapshots import Snapshots
from hub.cluster.log.state_log import LogNames, StateLog
from hub.cluster.servers.jetstream import JetStream, Stored
from hub.cluster.servers.link import Link
from hub.cluster.servers.streams import ClusterError
from hub.store.changes import Changes
from hub.store.reader import COPY_PREFIX, COPY_ROW
from hub.store.sqlite.file_copies import copy_file, drop_meta, meta_in, unused
from hub.store.store import durably

__all__ = ["export_file", "import_file"]

_IMPORT = "Hub-Import"
"""The header of a claim that is no node's."""


async def import_file(link: Link, names: LogNames, file: Path) -> Tip:
    """Let the cluster go on with the state of this file, which stays as it is; return the record that says so.

    One that was cut off is done again. Nodes that start meanwhile wait for its snapshot, or have what was before.

    Raises:
        ClusterError: the cluster is in use, or not there.
        StoreError: the file cannot be used, or a hub has it open.
        StoreFenced: a node has claimed the unit meanwhile.
        LogRefused, LinkError: the servers do not take it.

    """
    stream = JetStream(link)
    info = await stream.info(names.stream)
    if info is None:
        raise ClusterError(f"there is no stream {names.stream} yet; `hub cluster create` makes it")
    last = await stream.last(names.stream, names.subject)
    if last is not None and not _is_nobodys(last):
        owner = last.headers.get("Hub-Owner", "")
        raise ClusterError(f"{owner} owns {names.unit}: stop all nodes first, then what was owned is released")
    cluster = str(info["config"].get("metadata", {}).get("hub-cluster", ""))
    aside, writer = file.with_name(f"{file.name}.import"), f"import.{secrets.token_hex(4)}"
    try:
        with unused(file):
            _gone(aside)  # what an import left that was killed: SQLite would take its log for the new copy's
            await asyncio.to_thread(copy_file, file, aside)
        store = CopyStore(aside, lambda _: None)
        try:
            await store.load()  # what cannot be read is told before anything is written
            log = StateLog(link, names, writer, Tip() if last is None else Tip.of(last))
            await log.append(RecordKind.CLAIM, headers={"Hub-Formats": our_formats(), _IMPORT: "1"})
            # the record comes before its snapshot, so that no node claims in between: each waits for the snapshot
            tip = await log.append(RecordKind.IMPORT)
            await durably(store, Changes(meta=[(COPY_ROW, cluster), tip_row(tip)]))
            await Snapshots(link, names).put(Replica(store, tip), writer)
        finally:
            await store.close()
    finally:
        await asyncio.to_thread(_gone, aside)
    await log.append(RecordKind.RELEASE)
    return tip


def _is_nobodys(last: Stored) -> bool:
    """Tell whether nobody owns by the log's last record: it is released, or an import has died where it stands."""
    return last.headers.get("Hub-Kind") in (RecordKind.RELEASE, RecordKind.IMPORT) or _IMPORT in last.headers


def export_file(source: Path, target: Path) -> Tip:
    """Write a node's copy as the state file of a single hub; return how far it has the log.

    Raises:
        ClusterError: the source is no node's copy, or one that has nothing yet, or the target exists.

    """
    if target.exists():
        raise ClusterError(f"{target} is there already; nothing was written")
    copy_file(source, target)
    meta = meta_in(target)
    if COPY_ROW not in meta:
        target.unlink()
        raise ClusterError(f"{source} is no copy of a cluster's log")
    tip = Tip.loads(meta.get(TIP_ROW, ""))
    if not tip.seq:  # a backup of it would be one only by its name
        target.unlink()
        raise ClusterError(f"{source} has nothing of the log yet; take another node's, see `hub cluster status`")
    drop_meta(target, [key for key in meta if key.startswith(COPY_PREFIX)])
    return tip


def _gone(file: Path) -> None:
    for end in ("", "-wal", "-shm", ".lock"):
        file.with_name(file.name + end).unlink(missing_ok=True)
