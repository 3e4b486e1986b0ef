"""The whole hub as its users run it, behind the real Mosquitto: CPU per event beside the broker's own, and latency.

    python -m tests.bench.hub                    # all scenarios
    python -m tests.bench.hub saturation --events 300000

The loads are those of `hub bench`, here with a fixed number of events, and by turns. `saturation`: QoS 1 events as fast
as the broker takes them, 1 rule, 1 % of events match and are republished, durable commits on; then the same with 1,000
rules on 1,000 distinct topics. `latency`: publish to republished alert at 1,000 events/s. Figures of a shared machine
vary: quote the ratios of one run.
"""

import argparse
import asyncio
import json
from dataclasses import asdict

from hub.operate.bench.scenario import SCENARIOS, run_scenario

ONE, MANY, _, STEADY = SCENARIOS


async def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenario", nargs="?", choices=["saturation", "latency"])
    parser.add_argument("--events", type=int, default=200_000)
    options = parser.parse_args()
    if options.scenario != "latency":
        results = []
        for scenario in (ONE, MANY, ONE, MANY):
            came = await run_scenario(scenario, events=options.events)
            results.append(came.hub_us_per_event)
            print(json.dumps(asdict(came)), flush=True)
        print(f"1,000 rules on 1,000 topics cost {sum(results[1::2]) / sum(results[::2]):.2f} times one rule")
    if options.scenario != "saturation":
        print(json.dumps(asdict(await run_scenario(STEADY, events=20_000))))


if __name__ == "__main__":
    asyncio.run(main())
