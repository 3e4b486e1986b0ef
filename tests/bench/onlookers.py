"""What onlookers cost the hub: CPU per event with 10 clients of the feed and a scrape of /metrics each second, or none.

    python -m tests.bench.onlookers [--rate 2000] [--seconds 4] [--rounds 10]

One hub, behind the real Mosquitto; half of the clients read the WebSocket, half the server-sent events. Short rounds
without and with them take turns, because a shared machine is faster and slower by turns: what is told is the median of
the ratios of neighbours.
"""

import argparse
import asyncio
import re
import statistics
from contextlib import asynccontextmanager, suppress

import aiohttp

from hub.operate.bench.load import publish, rules_text
from hub.operate.bench.scenario import cpu_seconds, running

CLIENTS = 10
TOPICS = [f"site/{n}/device/telemetry" for n in range(1000)]


@asynccontextmanager
async def onlookers(url):
    """Keep the clients and the scraper going; yield what they have counted."""
    seen = {"messages": 0, "scrapes": 0}
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout()) as session:

        async def socket():
            async with session.ws_connect(f"{url}/ws") as feed:
                async for _ in feed:
                    seen["messages"] += 1

        async def stream():
            async with session.get(f"{url}/sse") as feed:
                async for line in feed.content:
                    seen["messages"] += line.startswith(b"id:")

        async def scrape():
            while True:
                async with session.get(f"{url}/metrics") as answer:
                    assert len(await answer.read()) > 5000
                seen["scrapes"] += 1
                await asyncio.sleep(1.0)

        tasks = [asyncio.create_task((socket if n % 2 else stream)()) for n in range(CLIENTS)]
        tasks.append(asyncio.create_task(scrape()))
        await asyncio.sleep(0.5)  # to connect is no onlooking
        try:
            yield seen
        finally:
            for task in tasks:
                task.cancel()
            for task in tasks:
                with suppress(asyncio.CancelledError):
                    await task


async def cost(bench, rate, seconds):
    """Return the microseconds of CPU that an event costs the hub."""
    before = cpu_seconds(bench.hub)
    sent = await asyncio.to_thread(publish, bench.broker.settings("device"), TOPICS, seconds=seconds, rate=rate)
    await asyncio.sleep(1.2)  # the last checkpoint
    return (cpu_seconds(bench.hub) - before) / sent.events * 1e6


async def measure(rate, seconds, rounds):
    """Return the costs without and with onlookers, by turns."""
    off, on = [], []
    async with running(rules_text(1, topics_each=False), "http: {listen: '127.0.0.1:0'}\n") as bench:
        while not (found := re.search(r"listens on (\S+)", bench.log.text)):
            await asyncio.sleep(0.05)
        url = found[1]
        await cost(bench, rate, 3)  # what is compiled and learned at the first events
        for _ in range(rounds):
            off.append(await cost(bench, rate, seconds))
            print(f"nobody looks on      {off[-1]:6.1f} µs an event", flush=True)
            async with onlookers(url) as seen:
                on.append(await cost(bench, rate, seconds))
            print(f"{CLIENTS} clients, a scraper {on[-1]:6.1f} µs an event   {seen}", flush=True)
    return off, on


async def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--rounds", type=int, default=10)
    options = parser.parse_args()
    off, on = await measure(options.rate, options.seconds, options.rounds)
    ratios = [with_them / alone - 1 for alone, with_them in zip(off, on, strict=True)]
    shares = ", ".join(f"{each:+.0%}" for each in sorted(ratios))
    print(f"onlookers cost {statistics.median(ratios):+.1%} ({shares})")


if __name__ == "__main__":
    asyncio.run(main())
