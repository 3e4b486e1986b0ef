"""crew: the first that dies ends all, and its error is the one that is raised, by itself."""

import asyncio

import pytest

from hub.errors import HubError, StoreError
from hub.spine.crew import crew


async def fails(error):
    await asyncio.sleep(0)
    raise error


async def test_the_error_that_ended_one_is_raised_and_the_others_have_ended():
    others = []

    async def work():
        async with crew() as group:
            others.append(group.spawn("other", asyncio.Event().wait()))
            group.spawn("store", fails(StoreError("disk gone")))

    with pytest.raises(StoreError, match="disk gone"):
        await work()
    assert others[0].cancelled()


async def test_an_error_of_a_crew_within_a_crew_comes_out_as_it_is():
    async def inner():
        async with crew() as group:
            group.spawn("store", fails(HubError("x")))

    with pytest.raises(HubError, match=r"^x$"):
        async with crew() as group:
            group.spawn("unit", inner())


async def test_a_bug_is_no_error_of_ours_and_stays_in_its_group():
    with pytest.raises(ExceptionGroup) as found:
        async with crew() as group:
            group.spawn("bug", fails(ZeroDivisionError()))
    assert isinstance(found.value.exceptions[0], ZeroDivisionError)


async def test_tasks_have_their_names_and_the_crew_ends_with_the_last():
    async with crew() as group:
        task = group.spawn("one", asyncio.sleep(0))
    assert (task.get_name(), task.done(), group.tasks) == ("one", True, [task])
