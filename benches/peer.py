"""How does `host-runner serve` compare with `wasmtime serve`, on the same components at the same time? Two questions:

1. Requests: the least that a component can do, the shop's page, and an order.
2. A start: from the beginning of the process to the first answer.

    python3 benches/peer.py [requests|start] [--seconds N] [--rounds N] [--connections N] [--only NAME...]

Needs the release build and the compositions (`./just build`) and the peer (`python3 tools/setup.py wasmtime`, as its project
releases it), and builds what else it needs: two small components, and compositions in which a component stands in for
`wasi:keyvalue`, which the peer does not have in this version. Both hosts serve these same files; every instance has the same catalogue, and
forgets what was ordered.

"as installed" is without any flag, but those that it does not serve the file without. "best flags" are those of the
flags of `wasmtime serve` that made it faster on these components, without giving up that every request has an instance of its
own. Without a limit on time the peer's guests run unchecked, and one that loops takes a
processor for ever; `host-runner` always checks, so the rows with a limit are the ones to compare it with.

All servers of a table run at once and get their load in turns, so that what else the machine does hits all of them;
the median of the rounds counts. The load comes from `target/release/load` on the same machine, in a closed loop: requests a
second depend on what the load takes for itself, the processor time of the server for a request (from /proc, so Linux only)
does not.
"""

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from servers import COMPOSER, HOST, ROOT, Server, beside, first_answer, hosted, stock

PEER = ROOT / "target" / "tools" / "wasmtime" / "wasmtime"
DIRECTORY = ROOT / "target" / "peer"
FIXTURES = ROOT / "target" / "fixtures" / "components"

BEST = [
    "-O",
    "pooling-memory-keep-resident=67108864,pooling-table-keep-resident=1048576"
    ",pooling-async-stack-keep-resident=65536,pooling-pagemap-scan=auto",
]
# What `host-runner` has anyway: a guest that does not end is ended.
TIMED = ["-W", "timeout=30s"]
REUSED = "1000"

ORDERED = "TOOL-0024"
ORDER = (
    *("--method", "POST", "--header", "content-type: application/json", "--header", "idempotency-key: order-{n}"),
    *("--body", f'{{"customer": "Ada Lovelace", "lines": [{{"sku": "{ORDERED}", "quantity": 1}}], "tier": "gold"}}'),
)
# Name, composition, path, and what else the load is told.
WORK = {
    "hello": ("the least: a handler in Rust", None, "/", ()),
    "page": ("the page of shop-zig: JavaScript, Rust, Zig", "shop-zig", "/", ()),
    "page-python": ("the page of shop-polyglot: JavaScript, Python, Rust, Zig", "shop-polyglot", "/", ()),
    "order": ("an order at shop-zig: JavaScript, Rust, Zig", "shop-zig", "/api/orders", ORDER),
    "order-python": ("an order at shop-polyglot: JavaScript, Python, Rust, Zig", "shop-polyglot", "/api/orders", ORDER),
}


def run(*command, **more):
    command = list(map(str, command))
    if subprocess.run(command, stdout=sys.stderr, **more).returncode != 0:
        sys.exit(f"error: this failed: {' '.join(command)}")


def prepare(compositions):
    """The peer, the small components, and the compositions that need nothing of a host but HTTP and the time."""
    if not PEER.exists():
        sys.exit(f"error: {PEER} is missing: `python3 tools/setup.py wasmtime` installs it")
    run(COMPOSER, "build", cwd=ROOT / "benches" / "peer")
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    files = {None: FIXTURES / "hello.wasm"}
    for name in compositions:
        files[name] = DIRECTORY / f"{name}.wasm"
        shop = ROOT / "target" / "compositions" / f"{name}.wasm"
        run(COMPOSER, "compose", shop, FIXTURES / "memory-store.wasm", "-o", files[name])
    return files


def peer(file, *flags):
    return Server(PEER, "serve", "--addr", "127.0.0.1:0", *flags, file)


def compiled(file, directory, name, *flags):
    """What the peer makes of a component ahead of time."""
    ahead = Path(directory) / f"{file.stem}-{name}.cwasm"
    run(PEER, "compile", *flags, file, "-o", ahead)
    return ahead


def requests(options, files, directory):
    for name in options.only or WORK:
        title, composition, path, more = WORK[name]
        file = files[composition]
        cache = ("--cache", directory)
        best = ("--allow-precompiled", *BEST)
        ahead = compiled(file, directory, "best", *BEST)
        bounded = compiled(file, directory, "bounded", "-W", "epoch-interruption=y", *BEST)
        servers = {
            "`wasmtime serve`, as installed": peer(file),
            "`wasmtime serve`, with a limit on time": peer(file, *TIMED),
            "`wasmtime serve`, best flags": peer(ahead, *best),
            "`wasmtime serve`, best flags and a limit on time": peer(bounded, *TIMED, *best),
            "`host-runner serve`, as installed": hosted(file, *cache),
            "`host-runner serve --blame coarse`": hosted(file, *cache, "--blame", "coarse"),
            "`wasmtime serve`, best flags, instances reused": peer(ahead, *best, "--max-instance-reuse-count", REUSED),
            f"`host-runner serve --reuse {REUSED}`": hosted(file, *cache, "--reuse", REUSED),
        }
        if name.startswith("order"):
            shop = ROOT / "target" / "compositions" / f"{composition}.wasm"
            grants = (*cache, "--keyvalue", f"redb:{directory}/{name}.redb")
            stock(shop, grants, [ORDERED])
            servers["`host-runner serve`, with its own store, on a disk"] = hosted(shop, *grants)
        beside(
            title,
            servers,
            options.rounds,
            options.seconds,
            lambda server, seconds: server.load(path, options.connections, seconds, more),
        )


def start(options, files, directory):
    for name in options.only or ["hello", "page", "page-python"]:
        title, composition, *_ = WORK[name]
        file = files[composition]
        ahead, best = compiled(file, directory, "installed"), compiled(file, directory, "best", *BEST)
        own, key = Path(directory) / f"{name}.cwasm", Path(directory) / "key"
        run(HOST, "compile", file, "-o", own, "--key", key)
        kinds = {
            "`wasmtime serve`, compiled ahead": lambda: peer(ahead, "--allow-precompiled"),
            "`wasmtime serve`, compiled ahead, best flags": lambda: peer(best, "--allow-precompiled", *BEST),
            "`host-runner serve`, from its cache": lambda: hosted(file, "--cache", directory),
            "`host-runner serve`, compiled ahead": lambda: hosted(own, "--cache", "none", "--key", key),
        }
        runs = {kind: [] for kind in kinds}
        for kind in kinds.values():
            first_answer(kind)
        for _ in range(options.rounds):
            for kind, begin in kinds.items():
                runs[kind].append(first_answer(begin))
        least = min(elapsed for elapsed, _ in runs[next(iter(kinds))])
        print(f"| {title} | first answer, least | ratio | median | processor time, least |\n|---|---|---|---|---|")
        for kind, seen in runs.items():
            elapsed, processor = zip(*seen)
            print(
                f"| {kind} | {min(elapsed):.0f} ms | {min(elapsed) / least:.2f} | {statistics.median(elapsed):.0f} ms"
                f" | {min(processor):.0f} ms |"
            )
        print(flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="?", choices=["requests", "start"], default="requests")
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="+", choices=WORK, metavar="NAME", help=f"of {', '.join(WORK)}")
    options = parser.parse_args()
    compositions = {WORK[name][1] for name in options.only or WORK} - {None}
    files = prepare(sorted(compositions))
    print(f"{os.cpu_count()} processors, {platform.system()} {platform.machine()}; load before: {os.getloadavg()[0]:.1f}\n")
    with tempfile.TemporaryDirectory() as directory:
        {"requests": requests, "start": start}[options.what](options, files, directory)
    print(f"load after: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
