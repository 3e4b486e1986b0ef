"""starter_files: what somebody may type behind `--nodes` and `--name`, and what is told where it cannot be."""

import re

import pytest

from hub.cluster.servers.streams import ClusterError
from hub.cluster.starter_files import NodeAddress, node_addresses, write_starter

THREE = "a=10.0.0.1,b=10.0.0.2,c=10.0.0.3"


def test_hosts_are_names_or_addresses_of_both_kinds_each_with_or_without_a_port():
    assert node_addresses("a=nats-1,b=::1,c=[::1]:4333,d=10.0.0.1:5000,e=[fe80::2]") == [
        NodeAddress("a", "nats-1", 4222),
        NodeAddress("b", "::1", 4222),
        NodeAddress("c", "::1", 4333),
        NodeAddress("d", "10.0.0.1", 5000),
        NodeAddress("e", "fe80::2", 4222),
    ]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("my node=10.0.0.1", "'my node=10.0.0.1' is no node"),
        ("a", "'a' is no node"),
        ("a=http://x", "the port is a number"),
        ("a=10.0.0.1:99999", "the port is a number up to 63535"),
        ("a=10.0.0 1", "is no node"),
        ('a=x"y', "is no node"),
    ],
)
def test_what_is_no_node_is_told_with_an_example(wrong, told):
    with pytest.raises(ClusterError, match=re.escape(told)):
        node_addresses(f"{wrong},b=10.0.0.2,c=10.0.0.3")


def test_a_name_that_no_hub_yaml_takes_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(ClusterError, match="'my hub': a cluster's name"):
        write_starter(tmp_path / "made", node_addresses(THREE), "my hub")
    assert not (tmp_path / "made").exists()


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ClusterError, match="cannot be made: Not a directory"):
        write_starter(tmp_path / "file", node_addresses(THREE), "hub")


def test_the_copy_stands_where_the_service_may_write_and_not_in_the_file_of_a_single_hub(tmp_path):
    """docs/hub.service lets the hub write /var/lib/hub alone."""
    (made, *_) = write_starter(tmp_path, node_addresses(THREE), "hub")
    assert "\nstate: /var/lib/hub/cluster.db " in (made / "cluster.yaml").read_text("utf-8")
    assert "\nUser=hub\n" in (made / "hub-nats.service").read_text("utf-8")
