"""What `hub simulate` costs: 10,000 devices at 5,000 events/s against a real broker on this machine.

`python -m tests.bench.simulate [--devices N] [--rate N] [--seconds N]`; figures of a shared machine vary.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
from pathlib import Path

from hub.operate.mosquitto import Mosquitto


def cpu_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def main(devices, rate, seconds):
    with tempfile.TemporaryDirectory() as folder:
        async with Mosquitto(Path(folder) / "broker") as broker:
            settings = broker.settings("device")
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "hub", "simulate", "--broker", str(settings), "--devices", str(devices)),
                *("--rate", str(rate)),
                stdout=asyncio.subprocess.PIPE,
                env=os.environ
                | {"HUB_SIMULATE_USERNAME": "device", "HUB_SIMULATE_PASSWORD": settings.password.reveal()},
            )
            await process.stdout.readline()  # all connected; from here it plays
            started, broker_started = cpu_seconds(process.pid), cpu_seconds(broker.pid)
            await asyncio.sleep(seconds)
            used, broker_used = cpu_seconds(process.pid) - started, cpu_seconds(broker.pid) - broker_started
            memory = Path(f"/proc/{process.pid}/status").read_text().split("VmRSS:")[1].split()[0]
            process.terminate()
            out, _ = await process.communicate()
            told = out.decode().strip().splitlines()[-1]
    print(told)
    figures = {"devices": devices, "asked": rate, "cores": round(used / seconds, 3)}
    figures |= {"us_per_event": round(used / seconds / rate * 1e6, 1), "broker_cores": round(broker_used / seconds, 3)}
    print(json.dumps(figures | {"rss_mb": int(memory) // 1024}))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--devices", type=int, default=10_000)
    parser.add_argument("--rate", type=float, default=5_000)
    parser.add_argument("--seconds", type=float, default=10)
    asyncio.run(main(**vars(parser.parse_args())))
