"""What is each choice of the engine worth? Two questions, both about `host-runner serve` with the composed shop:

1. A fresh instance for every request: what does a request cost as the engine is set up by itself, and what with each choice
   turned back?
2. How long from the start of the process to the first answer, with compiled code in the cache, and ahead of time?

    python3 benches/serving.py [requests|start] [--composition NAME] [--path PATH] [--seconds N] [--rounds N]

Needs the compositions and the release build (`./just build`). All servers of a comparison run at once and get their load in
turns, so that what else the machine does hits all of them; the median of the rounds counts. The load comes from
`target/release/load` on the same machine, in a closed loop: requests a second depend on what the load takes for itself,
the processor time of the server for a request (from /proc, so Linux only) does not.
"""

import argparse
import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOST = ROOT / "target" / "release" / "host-runner"
LOAD = ROOT / "target" / "release" / "load"
TICKS = os.sysconf("SC_CLK_TCK")

# The first is what the others are compared with.
VARIANTS = {
    "as the engine is set up": [],
    "`--concurrency on`": ["--concurrency", "on"],
    "`--page-map-scan off`": ["--page-map-scan", "off"],
    "`--page-map-scan off --resident-memory 0 --resident-table 0`": [
        *("--page-map-scan", "off", "--resident-memory", "0", "--resident-table", "0"),
    ],
    "`--blame coarse`": ["--blame", "coarse"],
    "`--copy-on-write off`": ["--copy-on-write", "off"],
    "`--pool off`": ["--pool", "off"],
}


class Server:
    """A server on a port of its own, with an empty store."""

    def __init__(self, file, flags):
        command = [HOST, "serve", file, "--keyvalue", "memory", "--addr", "127.0.0.1:0", *flags]
        quiet = {**os.environ, "RUST_LOG": "error"}
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, env=quiet, text=True)
        self.address = self.process.stdout.readline().split("http://")[-1].strip()
        if not self.address:
            sys.exit(f"error: this failed: {' '.join(map(str, command))}")

    def used(self):
        """Minor faults, and seconds of processor time, since the start."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return int(fields[7]), (int(fields[11]) + int(fields[12])) / TICKS

    def load(self, path, connections, seconds):
        """What the load saw, and what a request took of the server."""
        command = [LOAD, f"http://{self.address}{path}", "--connections", connections, "--seconds", seconds, "--warm-up", 0]
        before = self.used()
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"error: this failed: {' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
        seen = json.loads(done.stdout)
        faults, processor = (after - start for after, start in zip(self.used(), before))
        return {
            "rate": seen["requests_per_second"],
            "p50": seen["milliseconds"]["p50"],
            "p99": seen["milliseconds"]["p99"],
            "processor": processor * 1000 / seen["requests"],
            "faults": faults / seen["requests"],
        }

    def memory(self):
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024

    def stop(self):
        self.process.terminate()
        self.process.wait()


def requests(options, file, cache):
    servers = {name: Server(file, ["--cache", cache, *flags]) for name, flags in VARIANTS.items()}
    try:
        for server in servers.values():
            server.load(options.path, options.connections, 1)
        rounds = {name: [] for name in servers}
        for _ in range(options.rounds):
            for name, server in servers.items():
                rounds[name].append(server.load(options.path, options.connections, options.seconds))
        median = {
            name: {key: statistics.median(one[key] for one in seen) for key in seen[0]} for name, seen in rounds.items()
        }
        first = next(iter(median.values()))
        print(f"| {options.composition}, `GET {options.path}` | requests a second | processor time a request | faults | p50 | p99 | peak memory |")
        print("|---|---|---|---|---|---|---|")
        for name, seen in median.items():
            print(
                f"| {name} | {seen['rate'] / first['rate']:.2f} | {seen['processor']:.2f} ms | {seen['faults']:.0f}"
                f" | {seen['p50']:.1f} ms | {seen['p99']:.1f} ms | {servers[name].memory():.0f} MB |"
            )
        print(f"\n1.00 is {first['rate']:.0f} requests a second.")
    finally:
        for server in servers.values():
            server.stop()


def first_answer(command):
    begun = time.monotonic()
    server = Server(*command)
    connection = http.client.HTTPConnection(server.address)
    connection.request("GET", "/")
    status = connection.getresponse().status
    elapsed = (time.monotonic() - begun) * 1000
    _, processor = server.used()
    server.stop()
    if status != 200:
        sys.exit(f"error: the first answer was {status}")
    return elapsed, processor * 1000


def start(options, file, cache):
    ahead = Path(cache) / "ahead.cwasm"
    key = Path(cache) / "ahead.key"
    subprocess.run([HOST, "compile", file, "-o", ahead, "--key", key], check=True)
    kinds = {
        "from the cache": (file, ["--cache", cache]),
        "compiled ahead of time": (ahead, ["--cache", "none", "--key", key]),
    }
    first_answer(kinds["from the cache"])
    print(f"| {options.composition} | first answer, least | median | processor time, least |\n|---|---|---|---|")
    runs = {name: [] for name in kinds}
    for _ in range(options.rounds):
        for name, command in kinds.items():
            runs[name].append(first_answer(command))
    for name, seen in runs.items():
        elapsed, processor = zip(*seen)
        print(f"| {name} | {min(elapsed):.0f} ms | {statistics.median(elapsed):.0f} ms | {min(processor):.0f} ms |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="?", choices=["requests", "start"], default="requests")
    parser.add_argument("--composition", default="shop-zig")
    parser.add_argument("--path", default="/")
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    file = ROOT / "target" / "compositions" / f"{options.composition}.wasm"
    with tempfile.TemporaryDirectory() as cache:
        {"requests": requests, "start": start}[options.what](options, file, cache)


if __name__ == "__main__":
    main()
