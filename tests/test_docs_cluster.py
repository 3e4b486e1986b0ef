"""docs/cluster.md and docs/examples/cluster: what they tell to type and to write works, on real NATS servers."""

import asyncio
import configparser
import json
import os
import re
import shutil
import subprocess
from dataclasses import fields
from pathlib import Path

import nats
import pytest
import typer
import yaml

from hub.config import load_settings
from hub.operate.cli import make_app
from hub.operate.mosquitto import free_port
from hub.settings.cluster_settings import CLUSTER, ClusterSettings
from tests.support import prefork
from tests.support.servers import Server, program

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "cluster.md").read_text("utf-8")
EXAMPLE = ROOT / "docs" / "examples" / "cluster"
NODES = ("a", "b", "c")
NO_JETSTREAM = 10039  # "JetStream not enabled for account"


def blocks(language):
    found = re.findall(rf"^( *)```{language}\n(.*?)^\1```$", TEXT, re.MULTILINE | re.DOTALL)
    return [re.sub(rf"^{indent}", "", text, flags=re.MULTILINE) for indent, text in found]


def block(language, head):
    (found,) = [text for text in blocks(language) if text.startswith(f"# {head}\n")]
    return found


def typed():
    """Yield every `hub cluster …` that the page tells to type, as words behind `cluster`."""
    for text in blocks("sh"):
        for line in text.splitlines():
            if found := re.search(r"\bhub cluster (.*?)(?:\s+#.*)?$", line):
                yield found[1].split()


class NatsWith(Server):
    ready = "Server is ready"

    def __init__(self, folder, conf, *more, env=None):
        super().__init__(folder)
        self.conf, self.more, self.env = conf, more, env or {}

    def command(self):
        return program("nats-server"), "-c", self.conf, *self.more

    def environment(self):
        return self.env


def hub(*words, cwd, env=()):
    code, out, err = prefork.run(*words, cwd=cwd, env=os.environ | dict(env))
    assert code == 0, out + err
    return out


@pytest.fixture
def made(tmp_path):
    """The folders of `hub cluster init`, as the page says it, on loopback; and where each server listens."""
    ports = [free_port() for _ in NODES]
    (words,) = [words for words in typed() if words[0] == "init"]
    nodes = ",".join(f"{node}=127.0.0.1:{port}" for node, port in zip(NODES, ports, strict=True))
    said = hub("cluster", "init", str(tmp_path / "made"), "--nodes", nodes, cwd=tmp_path)
    assert words == ["init", "/etc/hub/cluster", "--nodes", "a=10.0.0.1,b=10.0.0.2,c=10.0.0.3"]
    assert said.count("copy it to its machine, to the same place") == 3
    return tmp_path / "made"


def written(folder, made):
    """Write the page's hub.yaml for node `a`, with this machine's files and servers."""
    text = block("yaml", "hub.yaml").replace("/etc/hub/cluster", str(made)).replace("/etc/hub/rules", str(folder))
    urls = re.search(r"nats: (\[.*\])", (made / "a" / "cluster.yaml").read_text("utf-8"))[1]
    text = re.sub(r"nats: \[.*\]", f"nats: {urls}", text).replace("/var/lib/hub/cluster.db", str(folder / "cluster.db"))
    (folder / "hub.yaml").write_text(text, "utf-8")
    return folder / "hub.yaml"


def test_the_page_s_hub_yaml_is_what_init_writes_and_names_every_key(made, tmp_path, monkeypatch):
    monkeypatch.setenv("HUB_PASSWORD", "x")
    shown = load_settings(written(tmp_path, made)).cluster
    ours = yaml.safe_load(re.sub(r"!file ", "", (made / "a" / "cluster.yaml").read_text("utf-8")))["cluster"]
    assert [url.reveal() for url in shown.nats] == ours["nats"]
    assert (shown.name, shown.node, shown.replicas, shown.user) == (ours["name"], "a", ours["replicas"], "hub")
    assert shown.ca == Path(ours["ca"])
    assert shown.password.reveal() == (made / "a" / "password").read_text("utf-8")
    table = TEXT.partition("| key | means |")[2].partition("\n\n")[0]
    keys = {word for row in table.splitlines()[2:] for word in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert keys == {field.name for field in fields(ClusterSettings)} == set(CLUSTER.keys)


def test_what_init_makes_runs_with_tls_and_the_steps_of_the_page_work(made, tmp_path):
    """The single hub's state comes into the cluster, and out again by a backup."""
    servers = [NatsWith(made / node, made / node / "nats.conf") for node in NODES]
    config, env = written(tmp_path, made), {"HUB_PASSWORD": "x"}
    try:
        for server in servers:
            server.start()
        assert "made HUB_hub_STATE: 3 replicas" in hub("cluster", "create", "-c", str(config), cwd=tmp_path, env=env)
        (tmp_path / "one.yaml").write_text("state: hub.db\nrules: [rules]\n", "utf-8")
        shutil.copyfile(next((ROOT / "tests" / "store").rglob("*.db")), tmp_path / "hub.db")
        said = hub("cluster", "import", str(tmp_path / "hub.db"), "-c", str(config), cwd=tmp_path, env=env)
        assert "was imported with record" in said
    finally:
        for server in servers:
            server.kill()


def test_the_page_s_shell_function_gives_the_service_s_secrets_and_all_words(tmp_path):
    (line,) = [line for text in blocks("sh") for line in text.splitlines() if line.startswith("hub() {")]
    told = "runuser -u hub -- /opt/hub/bin/hub"
    assert told in line
    (tmp_path / "secrets").write_text("HUB_PASSWORD='a b'\n", "utf-8")
    (tmp_path / "say").write_text('printf "%s," "$HUB_PASSWORD" "$@"\n', "utf-8")
    for secrets, password in (("secrets", "a b"), ("none", "")):
        ours = line.replace("sudo ", "").replace("/etc/hub/secrets", str(tmp_path / secrets))
        script = f"{ours.replace(told, f'sh {tmp_path}/say')}\nhub cluster 'two words' -c x"
        env = {"PATH": os.environ["PATH"]}
        done = subprocess.run(["sh", "-c", script], env=env, capture_output=True, text=True, check=True)
        assert done.stdout == f"{password},cluster,two words,-c,x,"


@pytest.mark.parametrize("words", list(typed()), ids=" ".join)
def test_every_subcommand_and_option_of_the_page_is_there(words):
    group = typer.main.get_command(make_app()).commands["cluster"]
    assert words[0] in group.commands
    options = {option for parameter in group.commands[words[0]].params for option in parameter.opts}
    assert {word for word in words if word.startswith("-")} <= options


def test_every_subcommand_is_on_the_page():
    group = typer.main.get_command(make_app()).commands["cluster"]
    assert not [name for name in group.commands if f"hub cluster {name}" not in TEXT]


async def test_a_device_of_the_same_account_can_neither_write_the_log_nor_ask_for_streams(tmp_path):
    conf = tmp_path / "nats.conf"
    head = f'jetstream: {{store_dir: "{tmp_path}/data"}}\n'
    conf.write_text(head + block("conf", "nats.conf").replace("…", "secret"), "utf-8")
    server = NatsWith(tmp_path, conf)
    server.more = ("-a", "127.0.0.1", "-p", str(server.port))
    with server:
        await refused(server.port, "device", "secret")
        ours = await nats.connect(f"nats://hub:secret@127.0.0.1:{server.port}")
        assert (await ours.jetstream().account_info()).streams == 0
        await ours.close()


def test_the_page_s_servers_that_are_a_broker_too_have_a_sound_configuration(tmp_path):
    conf = tmp_path / "nats.conf"
    head = f'server_name: a\njetstream: {{store_dir: "{tmp_path}/data"}}\n'
    conf.write_text(head + block("conf", "in each nats.conf").replace("…", "secret"), "utf-8")
    done = subprocess.run([program("nats-server"), "-t", "-c", conf], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


async def refused(port, user, password):
    """See that a user can neither publish nor listen where the hub's log is."""
    errors = asyncio.Queue()
    link = await nats.connect(f"nats://{user}:{password}@127.0.0.1:{port}", error_cb=errors.put, allow_reconnect=False)
    async with asyncio.timeout(20):
        for work in (
            link.publish("hub.hub.state.main", b"x"),
            link.publish("$JS.API.STREAM.DELETE.HUB_hub_STATE", b""),
            link.subscribe("hub.>"),
        ):
            await work
            assert "permissions violation" in str(await errors.get()).lower()
    await link.close()


async def test_the_example_s_nats_conf_runs_and_keeps_others_out(tmp_path):
    """Its three servers come up as one cluster; who has another account sees nothing of the hubs'."""
    secrets = {name: name.lower() for name in ("HUB_NATS_PASSWORD", "OTHERS_NATS_PASSWORD", "ADMIN_NATS_PASSWORD")}
    routes = [free_port() for _ in range(3)]
    urls = ",".join(f"nats-route://127.0.0.1:{route}" for route in routes)
    servers = []
    for number, route in enumerate(routes, 1):
        folder = tmp_path / f"n{number}"
        folder.mkdir()
        conf = (EXAMPLE / "nats.conf").read_text("utf-8").replace("store_dir: /data", f'store_dir: "{folder}/data"')
        (folder / "nats.conf").write_text(conf, "utf-8")
        server = NatsWith(folder, folder / "nats.conf", env=secrets | {"NODE": f"nats-{number}"})
        server.more = ("-a", "127.0.0.1", "-p", str(server.port), "-m", str(free_port()))
        server.more += ("--cluster", f"nats://127.0.0.1:{route}", "--routes", urls)
        servers.append(server)
    try:
        for server in servers:
            server.start()
        settings = f"nats: [{', '.join(f'nats://127.0.0.1:{each.port}' for each in servers)}], user: hub"
        (tmp_path / "hub.yaml").write_text(f"cluster: {{{settings}, password: hub_nats_password, node: a}}\n", "utf-8")
        assert "made HUB_hub_STATE: 3 replicas" in hub("cluster", "create", "-c", "hub.yaml", cwd=tmp_path)
        other = await nats.connect(f"nats://others:others_nats_password@127.0.0.1:{servers[0].port}")
        try:
            answer = await other.request("$JS.API.STREAM.INFO.HUB_hub_STATE", timeout=10)
        finally:
            await other.close()
        assert json.loads(answer.data)["error"]["err_code"] == NO_JETSTREAM
    finally:
        for server in servers:
            server.kill()


def test_the_example_s_parts_fit_each_other(monkeypatch):
    for name in ("HUB_MQTT_PASSWORD", "HUB_NATS_PASSWORD", "HUB_TOKEN"):
        monkeypatch.setenv(name, "a-long-enough-token-for-a-test")
    compose = yaml.safe_load((EXAMPLE / "compose.yaml").read_text("utf-8"))
    services = compose["services"]
    settings = load_settings(EXAMPLE / "hub.yaml")
    hosts = [url.reveal().partition("//")[2].partition(":")[0] for url in settings.cluster.nats]
    assert hosts == [name for name in services if name.startswith("nats-")]
    assert settings.broker.host in services
    conf = (EXAMPLE / "nats.conf").read_text("utf-8")
    assert re.findall(r"nats-route://([\w-]+):6222", conf) == hosts
    for name in hosts:
        assert set(re.findall(r"\$(\w+)", re.sub(r"\$JS\S*", "", conf))) <= services[name]["environment"].keys()
        assert services[name]["environment"]["NODE"] == name
    hubs = [name for name in services if name.startswith("hub-")]
    assert all(services[name]["hostname"] == name for name in hubs)
    wanted = set(re.findall(r"!env (\w+)", (EXAMPLE / "hub.yaml").read_text("utf-8")))
    assert all(wanted <= services[name]["environment"].keys() for name in hubs)
    proxy = (EXAMPLE / "haproxy.cfg").read_text("utf-8")
    assert re.findall(r"^  server (\S+) (\S+):8080$", proxy, re.MULTILINE) == [(name, name) for name in hubs]
    assert "option httpchk GET /readyz" in proxy
    for service in services.values():
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            assert source in compose["volumes"] or source == "./passwd" or (EXAMPLE / source).exists(), source
    (sed,) = re.findall(r"sed '(.*?)'", services["mosquitto"]["command"][2])
    shipped = (ROOT / "mosquitto.conf").read_text("utf-8")
    done = subprocess.run(["sed", sed], input=shipped, capture_output=True, text=True, check=True).stdout
    assert re.findall(r"^listener 1883.*$", done, re.MULTILINE) == ["listener 1883"]


def test_the_page_s_proxy_is_the_example_s():
    shown = block("conf", "haproxy.cfg").splitlines()[1:]
    ours = (EXAMPLE / "haproxy.cfg").read_text("utf-8").splitlines()
    assert not [line for line in shown if not line.startswith("  server ") and line not in ours]


def test_the_unit_that_init_writes_is_one(made):
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str
    unit.read(made / "a" / "hub-nats.service")
    assert unit["Service"]["ExecStart"].endswith(f"nats-server -c {made}/a/nats.conf")
    assert "hub-nats.service" in TEXT
