"""What is each choice of the engine worth? Three questions, the first two about `host-runner serve` with the composed shop:

1. `requests`: a fresh instance for every request. What does a request cost as the engine is set up by itself, and what with
   each choice turned back?
2. `start`: how long from the start of the process to the first answer, with compiled code in the cache, and ahead of time?
3. `calls`: what does a call from one part to another cost that does next to nothing? Seven parts in a chain, each of which
   calls the one before it ten times: 1,111,110 calls.

    python3 benches/serving.py [requests|start|calls] [--composition NAME] [--path PATH] [--seconds N] [--rounds N]

Needs the compositions and the release build (`./just build`). All servers of a comparison run at once and get their load in
turns, so that what else the machine does hits all of them; the median of the rounds counts. The load comes from
`target/release/load` on the same machine, in a closed loop: requests a second depend on what the load takes for itself,
the processor time of the server for a request (from /proc, so Linux only) does not.
"""

import argparse
import json
import statistics
import subprocess
import tempfile
from pathlib import Path

import parts
from servers import COMPOSER, HOST, ROOT, beside, first_answer, hosted

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
    "`--warm-slots 0`": ["--warm-slots", "0"],
}


def requests(options, file, cache):
    servers = {
        name: hosted(file, "--keyvalue", "memory", "--cache", cache, *flags) for name, flags in VARIANTS.items()
    }
    beside(
        f"{options.composition}, `GET {options.path}`",
        servers,
        options.rounds,
        options.seconds,
        lambda server, seconds: server.load(options.path, options.connections, seconds),
    )


def start(options, file, cache):
    ahead = Path(cache) / "ahead.cwasm"
    key = Path(cache) / "ahead.key"
    subprocess.run([HOST, "compile", file, "-o", ahead, "--key", key], check=True)
    kinds = {
        "from the cache": lambda: hosted(file, "--keyvalue", "memory", "--cache", cache),
        "compiled ahead of time": lambda: hosted(ahead, "--keyvalue", "memory", "--cache", "none", "--key", key),
    }
    first_answer(kinds["from the cache"])
    print(f"| {options.composition} | first answer, least | median | processor time, least |\n|---|---|---|---|")
    runs = {name: [] for name in kinds}
    for _ in range(options.rounds):
        for name, begin in kinds.items():
            runs[name].append(first_answer(begin))
    for name, seen in runs.items():
        elapsed, processor = zip(*seen)
        print(f"| {name} | {min(elapsed):.0f} ms | {statistics.median(elapsed):.0f} ms | {min(processor):.0f} ms |")


def calls(options, _file, cache):
    depth, times = 7, 10
    count = sum(times**level for level in range(1, depth))
    composition = Path(cache) / "chain.wasm"
    files = []
    for index, part in enumerate(parts.chain(depth, times)):
        files.append(Path(cache) / f"step{index}.wasm")
        files[-1].write_bytes(part)
    subprocess.run([COMPOSER, "compose", *files, "-o", composition], check=True, capture_output=True)
    variants = {name: VARIANTS[name] for name in ("as the engine is set up", "`--concurrency on`", "`--blame coarse`")}
    runs = {name: [] for name in variants}
    for _ in range(options.rounds):
        for name, flags in variants.items():
            command = [HOST, "call", composition, "call()", "--time=json", "--repeat", "20", "--cache", cache, *flags]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            runs[name].append(json.loads(done.stderr)["call"]["min"] / count)
    first = min(runs["as the engine is set up"])
    print("| a call that does nothing | least | ratio |\n|---|---|---|")
    for name, seen in runs.items():
        print(f"| {name} | {min(seen):.1f} ns | {min(seen) / first:.2f} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="?", choices=["requests", "start", "calls"], default="requests")
    parser.add_argument("--composition", default="shop-zig")
    parser.add_argument("--path", default="/")
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    file = ROOT / "target" / "compositions" / f"{options.composition}.wasm"
    with tempfile.TemporaryDirectory() as cache:
        {"requests": requests, "start": start, "calls": calls}[options.what](options, file, cache)


if __name__ == "__main__":
    main()
