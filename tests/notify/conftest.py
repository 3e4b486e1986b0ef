"""Receivers of queues, made as a user writes them, and closed behind the test."""

import pytest

from hub.notify.receiver_settings import build_receiver
from tests.notify.fakes import toolbox
from tests.notify.queues import read


@pytest.fixture
async def receiver():
    made = []

    def make(kind, options):
        settings, problems = read(f"out: {{{kind}: {options}}}")
        assert problems == []
        made.append(build_receiver(settings["out"], toolbox()))
        return made[-1]

    yield make
    for each in made:
        await each.close()
