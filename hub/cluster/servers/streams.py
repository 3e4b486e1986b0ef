"""The streams of a cluster on the NATS servers: made once, checked afterwards, never changed behind anybody's back."""

import asyncio
import secrets
import time
from collections.abc import Mapping
from typing import Any

from hub.cluster.log.state_log import LogNames
from hub.cluster.servers.jetstream import JetStream, LogRefused
from hub.cluster.servers.link import LinkError, NobodyAnswers
from hub.errors import HubError
from hub.limits import CREATE_SECONDS, LINK_WAIT_SECONDS, SNAPSHOT_STREAM_BYTES, STATE_STREAM_BYTES

__all__ = ["ClusterError", "create", "differences", "edits", "wanted"]

_NO_PEERS = 10005
_NOT_YET = (_NO_PEERS, 10008, 10074)
"""No server has room for a replica; the servers have no leader; replicas are only for servers that form a cluster."""
_EDITED = {
    "num_replicas": "replicas",
    "discard": "discard",
    "subjects": "subjects",
    "max_msg_size": "max-msg-size",
    "max_msgs": "max-msgs",
    "max_msgs_per_subject": "max-msgs-per-subject",
    "max_age": "max-age",
}
"""What matters of a stream, and the option of `nats stream edit` that changes it."""
_FIXED = ("storage", "retention", "deny_purge", "sealed")
_ABSENT = {"max_age": 0, "deny_purge": False, "sealed": False}
"""How it is where the server does not name it."""


class ClusterError(HubError):
    """What is asked of a cluster cannot be done; it says what to do."""


def wanted(names: LogNames, replicas: int) -> dict[str, dict[str, Any]]:
    """Return the configuration of each stream, by name, without the id of the cluster."""
    common = {
        "num_replicas": replicas,
        "storage": "file",
        "retention": "limits",
        "discard": "new",  # a full log holds devices back, it forgets nothing
        "max_msg_size": 8 << 20,
        # only a cut behind a snapshot may take a record away, and only too many bytes refuse one
        "max_msgs": -1,
        "max_msgs_per_subject": -1,
        "max_age": 0,
        "deny_purge": False,
        "sealed": False,
        "allow_direct": True,
    }
    logs, snapshots = f"hub.{names.cluster}.state.*", f"hub.{names.cluster}.snap.>"
    return {
        names.stream: {**common, "name": names.stream, "subjects": [logs], "max_bytes": STATE_STREAM_BYTES},
        names.snapshots: {
            **common, "name": names.snapshots, "subjects": [snapshots], "max_bytes": SNAPSHOT_STREAM_BYTES
        },
    }  # fmt: skip


async def create(stream: JetStream, names: LogNames, replicas: int) -> list[str]:
    """Make the streams that are not there; return what was done, a line each.

    Raises:
        ClusterError: one is there, and is another than it should be.
        LogRefused: the servers do not make it, as where there are fewer than `replicas`.
        LinkError: they do not answer.

    """
    until = time.monotonic() + CREATE_SECONDS
    said = []
    for name, config in wanted(names, replicas).items():
        while True:
            try:
                said.append(await _make(stream, name, config))
                break
            except (LogRefused, LinkError) as error:
                # servers that have just been started have yet to find each other, and to elect one that decides
                number = error.number if isinstance(error, LogRefused) else 0
                if number not in (0, *_NOT_YET) or time.monotonic() > until:
                    raise _told(error, number, replicas) from None
                await asyncio.sleep(LINK_WAIT_SECONDS)
    return said


async def _make(stream: JetStream, name: str, config: Mapping[str, Any]) -> str:
    info = await stream.info(name)
    if info is None:
        given = {**config, "metadata": {"hub-cluster": secrets.token_hex(8)}}
        await stream.api(f"STREAM.CREATE.{name}", given, CREATE_SECONDS)
        return f"made {name}: {config['num_replicas']} replicas, at most {config['max_bytes'] >> 20} MB"
    if wrong := differences(config, info["config"]):
        raise ClusterError(
            f"the stream {name} is there and differs: {'; '.join(wrong)}; nothing was changed. Correct `replicas` in"
            f" hub.yaml, or take another `name`, or: {edits(config, info['config'])}"
        )
    return f"{name} is there"


def _told(error: HubError, number: int, replicas: int) -> HubError:
    """Say what a refusal means to whoever types `hub cluster create`."""
    if number == _NO_PEERS:
        room = (STATE_STREAM_BYTES + SNAPSHOT_STREAM_BYTES) >> 20
        return ClusterError(
            f"{replicas} replicas need {replicas} NATS servers in one cluster, each with JetStream and {room} MB:"
            f" {error}"
        )
    if isinstance(error, NobodyAnswers):
        return ClusterError(
            "the NATS servers have no JetStream, or no leader for it: see `jetstream` in their nats.conf"
        )
    return error


def differences(config: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """Say in what a stream differs from what it should be, where that matters."""
    return [f"{key} is {found.get(key)}, not {config[key]}" for key in _different(config, found)]


def edits(config: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    """Say by what a stream that differs becomes as it should be."""
    wrong = _different(config, found)
    if not set(wrong) <= _EDITED.keys():  # the server changes these of no stream
        return "make it anew, see 'A stream that is gone' in docs/cluster.md"
    options = " ".join(f"--{_EDITED[key]}={_option(config[key])}" for key in wrong)
    return f"`nats stream edit {config['name']} {options}`"


def _different(config: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    return [key for key in (*_EDITED, *_FIXED) if found.get(key, _ABSENT.get(key)) != config[key]]


def _option(value: Any) -> str:
    return ",".join(value) if isinstance(value, list) else str(value)
