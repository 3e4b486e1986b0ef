"""Real queues for tests, each a process of its own on free loopback ports: Redis, NATS, RabbitMQ, and a Kafka.

The Kafka is the mock cluster of librdkafka: it speaks the protocol on a socket, keeps records and groups in memory, and
can be switched off and on. A broker of the Java kind is in no package that a test could install.
"""

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import confluent_kafka  # loads librdkafka, which the wheel brings
import pytest

from hub.documents.secret import Secret
from hub.ingest.mqtt.session import BrokerSettings
from hub.operate.mosquitto import free_port

PASSWORD = "p%40ss-w0rd"  # as it stands in a URL
PLAIN_PASSWORD = "p@ss-w0rd"
START_SECONDS = 60.0


class Server:
    """A server in a folder: `start` returns when it takes connections, again on the same port with the same data."""

    ready = ""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.process = None
        self.said = []

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.kill()

    def start(self):
        program, *arguments = self.command()
        self.said = []
        self.process = launched(
            [program, *map(str, arguments)],
            cwd=self.folder,
            env=os.environ | self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        up = threading.Event()
        self._reader = threading.Thread(target=self._read, args=(self.process.stdout, up), daemon=True)
        self._reader.start()
        if not up.wait(START_SECONDS) or self.process.poll() is not None:
            self.kill()
            raise AssertionError(f"{program} did not start:\n{''.join(self.said[-30:])}")

    def _read(self, stream, up):
        with stream:
            for line in stream:
                self.said.append(line.decode("utf-8", "replace"))
                if self.ready in self.said[-1]:
                    up.set()
        up.set()  # it has ended

    def kill(self):
        """End it as a power cut would, with all that it started."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self._reader.join(5)
            self.process = None

    def environment(self):
        return {}


def launched(command, **options):
    """Start a program that ends with this process, however this one ends (on Linux)."""
    if sys.platform == "linux":
        command = [sys.executable, "-S", "-I", "-c", _BOUND, str(os.getpid()), *command]
    options |= {"stdin": subprocess.DEVNULL, "start_new_session": True}
    return _LAUNCHER.submit(subprocess.Popen, command, **options).result()


# the kernel ends the child when the thread that has started it ends: so it is one that ends with this process
_LAUNCHER = ThreadPoolExecutor(1, "launcher")
_BOUND = """
import ctypes, os, sys
ctypes.CDLL(None).prctl(1, 9)  # PR_SET_PDEATHSIG, SIGKILL: it outlives the exec
if os.getppid() == int(sys.argv[1]):  # else that one has ended already
    os.execv(sys.argv[2], sys.argv[2:])
"""


def program(name, *places):
    """Return a program's path. Where it is missing its tests are skipped; CI has to have it."""
    path = shutil.which(name, path=os.pathsep.join([*places, str(Path(sys.executable).parent), os.environ["PATH"]]))
    if path is None and not os.environ.get("CI"):
        pytest.skip(f"{name} is not installed: `make servers` installs it")
    assert path, f"{name} is not installed"
    return path


class RedisServer(Server):
    ready = "Ready to accept connections"

    @property
    def url(self):
        return f"redis://:{PASSWORD}@127.0.0.1:{self.port}/0"

    def command(self):
        keep = ("--appendonly", "yes", "--appendfsync", "always", "--save", "", "--maxmemory", "64mb")
        where = ("--bind", "127.0.0.1", "--port", self.port, "--dir", self.folder)
        return (program("redis-server", "/usr/sbin"), *where, *keep, "--requirepass", PLAIN_PASSWORD)


class AlertmanagerServer(Server):
    """Alertmanager itself; what nobody posts again it takes for over after `resolve_timeout`."""

    ready = "Listening on"
    resolve_timeout = "1s"

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/api/v2/alerts"

    def command(self):
        config = self.folder / "alertmanager.yml"
        config.write_text(
            f"global: {{resolve_timeout: {self.resolve_timeout}}}\nroute: {{receiver: a}}\nreceivers: [{{name: a}}]\n"
        )
        where = (f"--web.listen-address=127.0.0.1:{self.port}", "--cluster.listen-address=")
        keep = (f"--config.file={config}", f"--storage.path={self.folder / 'data'}")
        return (program("prometheus-alertmanager"), *where, *keep)


class NatsServer(Server):
    ready = "Server is ready"

    @property
    def url(self):
        return f"nats://hub:{PASSWORD}@127.0.0.1:{self.port}"

    @property
    def address(self):
        return f"nats://127.0.0.1:{self.port}"

    def command(self):
        who = ("--user", "hub", "--pass", PLAIN_PASSWORD)
        return (program("nats-server"), "-a", "127.0.0.1", "-p", self.port, "-js", "-sd", self.folder, *who)


class NatsMqttServer(Server):
    """The same as an MQTT broker, which sends again what was not acknowledged only after `ack_wait`."""

    ready = "Server is ready"
    ack_wait = "6s"  # longer than a hub takes to start, on a machine under load too

    def settings(self, _user):
        """Say how to log in, as a Mosquitto of the tests does."""
        return BrokerSettings(port=self.port, username="hub", password=Secret(PLAIN_PASSWORD), protocol="3.1.1")

    def command(self):
        where = f"server_name: hub, port: {free_port()}, host: 127.0.0.1"
        mqtt = f'mqtt: {{host: 127.0.0.1, port: {self.port}, ack_wait: "{self.ack_wait}"}}'
        who = f'authorization: {{user: hub, password: "{PLAIN_PASSWORD}"}}'
        (self.folder / "nats.conf").write_text(
            "\n".join([where, f'jetstream: {{store_dir: "{self.folder}"}}', mqtt, who])
        )
        return program("nats-server"), "-c", self.folder / "nats.conf"


class RabbitServer(Server):
    ready = "Server startup complete"

    def __init__(self, folder):
        super().__init__(folder)
        self.ports = free_port(), free_port()
        self.names = None
        (self.folder / "plugins").write_text("[].\n", "utf-8")
        lines = ["default_user = hub", f"default_pass = {PLAIN_PASSWORD}", "vm_memory_high_watermark.absolute = 256MB"]
        lines += ["disk_free_limit.absolute = 1MB", "max_message_size = 1000000", ""]
        (self.folder / "rabbitmq.conf").write_text("\n".join(lines), "utf-8")

    @property
    def url(self):
        return f"amqp://hub:{PASSWORD}@127.0.0.1:{self.port}/"

    def start(self):
        # the name server that Erlang would leave behind as a daemon
        where = ("-port", str(self.ports[1]), "-address", "127.0.0.1")
        self.names = self.names or launched([program("epmd"), *where])
        super().start()

    def __exit__(self, *_):
        self.kill()
        self.names.kill()
        self.names.wait()

    def command(self):
        return (program("rabbitmq-server", "/usr/lib/rabbitmq/bin"),)  # the one in /usr/sbin becomes another user

    def environment(self):
        folder, (distribution, names) = str(self.folder), self.ports
        return {
            "HOME": folder,
            "RUNNING_UNDER_SYSTEMD": "true",  # the process is the server itself, and no script that waits for it
            "RABBITMQ_NODENAME": f"hub{self.port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(distribution),
            "ERL_EPMD_PORT": str(names),
            "RABBITMQ_MNESIA_BASE": f"{folder}/data",
            "RABBITMQ_LOG_BASE": f"{folder}/log",
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_CONFIG_FILE": f"{folder}/rabbitmq.conf",
            "RABBITMQ_GENERATED_CONFIG_DIR": f"{folder}/config",
            "RABBITMQ_SCHEMA_DIR": f"{folder}/schema",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{folder}/plugins",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +sbwt none -kernel inet_dist_use_interface {127,0,0,1}",
        }


class RabbitMqttServer(RabbitServer):
    """The same as an MQTT broker (3.10: only 3.1.1)."""

    def __init__(self, folder):
        super().__init__(folder)
        self.mqtt = free_port()
        (self.folder / "plugins").write_text("[rabbitmq_mqtt].\n", "utf-8")
        with (self.folder / "rabbitmq.conf").open("a") as file:
            file.write(f"mqtt.listeners.tcp.1 = 127.0.0.1:{self.mqtt}\n")

    def settings(self, _user):
        """Say how to log in, as a Mosquitto of the tests does."""
        return BrokerSettings(port=self.mqtt, username="hub", password=Secret(PLAIN_PASSWORD), protocol="3.1.1")


class KafkaCluster:
    """One broker with topics of one partition; `down` closes its port, `up` opens it again, records stay."""

    def __init__(self):
        (path,) = Path(confluent_kafka.__file__).parents[1].glob("confluent_kafka.libs/librdkafka-*")
        self._library = library = ctypes.CDLL(str(path))
        for name in ("rd_kafka_conf_new", "rd_kafka_new", "rd_kafka_mock_cluster_new"):
            getattr(library, name).restype = ctypes.c_void_p
        library.rd_kafka_mock_cluster_bootstraps.restype = ctypes.c_char_p
        error = ctypes.create_string_buffer(512)
        self._client = ctypes.c_void_p(
            library.rd_kafka_new(0, ctypes.c_void_p(library.rd_kafka_conf_new()), error, len(error))
        )
        assert self._client.value, error.value
        self._cluster = ctypes.c_void_p(library.rd_kafka_mock_cluster_new(self._client, 1))
        self.servers = library.rd_kafka_mock_cluster_bootstraps(self._cluster).decode()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._library.rd_kafka_mock_cluster_destroy(self._cluster)
        self._library.rd_kafka_destroy(self._client)

    def topic(self, name, partitions=1):
        assert not self._library.rd_kafka_mock_topic_create(self._cluster, name.encode(), partitions, 1)

    def down(self):
        assert not self._library.rd_kafka_mock_broker_set_down(self._cluster, 1)

    def up(self):
        assert not self._library.rd_kafka_mock_broker_set_up(self._cluster, 1)

    def fail(self, request, *codes):
        """Let the next requests of a kind (0: produce) fail with these error codes of the protocol."""
        codes = (ctypes.c_int * len(codes))(*codes)
        self._library.rd_kafka_mock_push_request_errors_array(
            self._cluster, ctypes.c_int16(request), ctypes.c_size_t(len(codes)), codes
        )
