"""What all tests share: a real Mosquitto with the shipped configuration, one of its own for each test that asks."""

import tests.support.measured  # noqa: F401 - before the hub is imported anywhere: what comes earlier is not seen

# isort: split

import gc

import pytest
from hypothesis import HealthCheck, settings

from hub.operate.mosquitto import Mosquitto
from tests.support import prefork
from tests.support.servers import RabbitServer, program
from tests.support.shared_servers import shared_servers

pytest_plugins = [
    "tests.support.dealing",
    "tests.support.measured",
    "tests.support.time_limit",
    "tests.support.whole_run",
]

# two cores shared by four workers: how long an example takes says nothing
settings.register_profile("hub", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# a red run must say something of the change: only longer runs look for what nobody has found yet
settings.register_profile("same", settings.get_profile("hub"), derandomize=True)


def pytest_addoption(parser):
    parser.addoption(
        "--long", action="store_true", help="longer: 50 kills instead of 5, and property tests draw new examples"
    )


def pytest_unconfigure():
    prefork.end()


def pytest_configure(config):
    settings.load_profile("hub" if config.getoption("--long") else "same")


@pytest.hookimpl(trylast=True)
def pytest_collection_finish():
    """Let no collection of garbage look through ten thousand tests and all modules: they live as long as the run."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def long(request):
    """Tell whether the fault tests are to run for longer."""
    return request.config.getoption("--long")


@pytest.fixture
async def broker(tmp_path):
    async with Mosquitto(tmp_path / "broker") as running:
        yield running


@pytest.fixture(scope="session")
def log_servers():
    """Three NATS servers for all tests of the whole run that leave them as they are."""
    program("nats-server")
    return shared_servers()


@pytest.fixture(scope="session")
def rabbitmq(tmp_path_factory):
    """One RabbitMQ for all tests of a worker: it takes 5 s to start, and 100 MB."""
    with RabbitServer(tmp_path_factory.mktemp("rabbitmq")) as running:
        yield running
