"""The `cluster` part of hub.yaml: a mistake in it is told with its place, before a server is asked."""

import pytest
import trustme

from hub.config import load_settings
from hub.errors import ConfigError

GOOD = "nats: ['nats://127.0.0.1:4222'], node: a"


def problems(folder, text):
    (folder / "rules").mkdir(exist_ok=True)
    (folder / "hub.yaml").write_text(f"cluster: {{{text}}}\n", "utf-8")
    with pytest.raises(ConfigError) as told:
        load_settings(folder / "hub.yaml")
    return str(told.value)


@pytest.mark.parametrize(
    "url",
    ["nats://u:hidden@host:99999", "nats://u:hidden@a b:4222", "nats://:4222", "nats://host:0", "nats://[::1:4222"],
)
def test_a_url_without_a_host_or_with_an_impossible_port_is_told_without_its_password(tmp_path, url):
    said = problems(tmp_path, f"nats: ['{url}']")
    assert "hub.yaml:1:19: a NATS server's URL needs a host and a port from 1 to 65535" in said
    assert "hidden" not in said


def test_a_list_of_servers_of_another_kind_is_told_once(tmp_path):
    said = problems(tmp_path, "nats: 5")
    assert "hub.yaml:1:17: a NATS server's URL begins with nats://" in said
    assert "needs 'nats'" not in said
    assert "hub.yaml:1:10: 'cluster' needs 'nats'" in problems(tmp_path, "node: a")


@pytest.mark.parametrize("count", [2, 4])
def test_an_even_number_of_replicas_is_refused(tmp_path, count):
    assert f"must be 1, 3 or 5, not {count}" in problems(tmp_path, f"{GOOD}, replicas: {count}")


def test_what_is_no_pem_file_is_told_with_its_place(tmp_path):
    (tmp_path / "ca.pem").write_text("no certificate", "utf-8")
    said = problems(tmp_path, f"{GOOD}, ca: ca.pem")
    assert f"hub.yaml:1:{len('cluster: {' + GOOD + ', ca: ') + 1}: " in said
    assert "ca.pem is no PEM file of certificates" in said


def test_a_key_that_is_not_that_of_the_certificate_is_told(tmp_path):
    authority = trustme.CA()
    authority.issue_cert("a").cert_chain_pems[0].write_to_path(tmp_path / "a.pem")
    authority.issue_cert("b").private_key_pem.write_to_path(tmp_path / "b.key")
    assert "are no certificate and its key" in problems(tmp_path, f"{GOOD}, cert: a.pem, key: b.key")
