"""What all tests share: a real Mosquitto with the shipped configuration, one of its own for each test that asks."""

import pytest

from hub.broker import Mosquitto


def pytest_addoption(parser):
    parser.addoption("--long", action="store_true", help="the fault tests for longer: 50 kills instead of 5")


@pytest.fixture
def long(request):
    """Tell whether the fault tests are to run for longer."""
    return request.config.getoption("--long")


@pytest.fixture
async def broker(tmp_path):
    async with Mosquitto(tmp_path / "broker") as running:
        yield running
