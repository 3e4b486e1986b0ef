"""A link to the NATS servers of the whole run, each test with streams of its own."""

import pytest
import pytest_asyncio

from hub.cluster.log.state_log import LogNames
from hub.cluster.servers.jetstream import JetStream
from hub.cluster.servers.streams import create
from tests.support.nats_cluster import forget, linked, settings_of
from tests.support.shared_servers import new_name

REPLICAS = 1
"""What three prove, the tests prove that kill servers."""


@pytest.fixture
def servers(log_servers):
    """Those of the whole run, which a test leaves as they are."""
    return log_servers


@pytest_asyncio.fixture
async def link(log_servers):
    """A link that is connected, and its streams, under a name that no other test has: `link.names`."""
    async with linked(settings_of(log_servers)) as made:
        made.names = LogNames(new_name())
        await create(JetStream(made), made.names, REPLICAS)
        yield made
        await forget(made, made.names.cluster)
