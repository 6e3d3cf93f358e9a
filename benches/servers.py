"""Servers beside each other, under load in turns: what the benchmarks of serving share."""

import http.client
import json
import os
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMPOSER = ROOT / "target" / "release" / "composer"
HOST = ROOT / "target" / "release" / "host-runner"
LOAD = ROOT / "target" / "release" / "load"
TICKS = os.sysconf("SC_CLK_TCK")


class Server:
    """A server that says, in one of its first lines, which address it was given."""

    def __init__(self, *command):
        command = list(map(str, command))
        quiet = {**os.environ, "RUST_LOG": "error"}
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=quiet, text=True)
        said = []
        for line in self.process.stdout:
            said.append(line)
            if "http://" in line:
                self.address = line.split("http://")[-1].strip().rstrip("/")
                break
        else:
            sys.exit(f"error: this failed: {' '.join(command)}\n{''.join(said)}")
        # What it says from now on must not fill the pipe.
        threading.Thread(target=self.process.stdout.read, daemon=True).start()

    def used(self):
        """Minor faults, and seconds of processor time, since the start."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return int(fields[7]), (int(fields[11]) + int(fields[12])) / TICKS

    def load(self, path, connections, seconds, more=()):
        """What the load saw, and what a request took of the server."""
        command = [LOAD, f"http://{self.address}{path}", "--connections", connections, "--seconds", seconds, "--warm-up", 0]
        before = self.used()
        done = subprocess.run([*map(str, command), *more], capture_output=True, text=True)
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
        """The most that it ever had resident, in MB."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024

    def stop(self):
        self.process.terminate()
        self.process.wait()


def hosted(file, *flags):
    """A host of ours on a port of its own."""
    return Server(HOST, "serve", file, "--addr", "127.0.0.1:0", *flags)


def first_answer(start):
    """From the beginning of a process to its first answer, in milliseconds: by the clock, and of all processors."""
    begun = time.monotonic()
    server = start()
    connection = http.client.HTTPConnection(server.address)
    connection.request("GET", "/")
    status = connection.getresponse().status
    elapsed = (time.monotonic() - begun) * 1000
    _, processor = server.used()
    server.stop()
    if status != 200:
        sys.exit(f"error: the first answer was {status}")
    return elapsed, processor * 1000


def beside(title, servers, rounds, seconds, load):
    """Puts load on all servers in turns, prints what each did as the rows of a table, and stops them.

    `load` is given a server and a number of seconds. The first server is what the others are compared with.
    """
    try:
        for server in servers.values():
            load(server, 1)
        seen = {name: [] for name in servers}
        for _ in range(rounds):
            for name, server in servers.items():
                seen[name].append(load(server, seconds))
        median = {name: {key: statistics.median(one[key] for one in runs) for key in runs[0]} for name, runs in seen.items()}
        first = next(iter(median.values()))
        print(f"| {title} | requests a second | ratio | processor time a request | faults | p50 | p99 | peak memory |")
        print("|---|---|---|---|---|---|---|---|")
        for name, one in median.items():
            print(
                f"| {name} | {one['rate']:.0f} | {one['rate'] / first['rate']:.2f} | {one['processor']:.2f} ms"
                f" | {one['faults']:.0f} | {one['p50']:.1f} ms | {one['p99']:.1f} ms | {servers[name].memory():.0f} MB |"
            )
        print(flush=True)
    finally:
        for server in servers.values():
            server.stop()


def stock(shop, grants, skus):
    """Stores products and more of them than can be sold, through the shop's own exports."""
    products = ", ".join(
        f'{{sku: "{sku}", name: "A product", description: "", category: "Things", unit-price: 1000}}' for sku in skus
    )
    counts = ", ".join(f'{{sku: "{sku}", quantity: 1000000}}' for sku in skus)
    for call in (f"shop:storage/products#put([{products}])", f"shop:storage/stock#count([{counts}])"):
        subprocess.run([HOST, "call", shop, *grants, "-"], input=call, text=True, check=True, stdout=subprocess.DEVNULL)
