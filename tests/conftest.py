"""What all tests share: a real Mosquitto with the shipped configuration, one of its own for each test that asks."""

import pytest

from hub.broker import Mosquitto


@pytest.fixture
async def broker(tmp_path):
    async with Mosquitto(tmp_path / "broker") as running:
        yield running
