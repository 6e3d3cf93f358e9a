"""What do a shop's other customers notice of a pricing rule that means harm? One question, for every kind of harm:

By how much does the slowest hundredth of honest orders (p99) slow down while one client asks for harm in a loop, in the same
host, in which the hostile rule prices the honest orders too?

    python3 benches/hostile.py [--seconds N] [--honest N] [--harmful N] [--all] [--rule NAME]

Needs what `cargo test --release -p e2e --test it hostile` composes. Clients keep no connection; each asks
again as soon as it has its answer. What a shop does alone is measured right before each kind, for as long, so that what
else the machine does hits both. With `--all` every row of `tests/hostile/kinds.json` is measured, with `--rule` all of one rule, otherwise
the first of each kind.
"""

import argparse
import http.client
import itertools
import json
import multiprocessing
import os
import platform
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from servers import HOST, ROOT, stock

KINDS = json.loads((ROOT / "tests" / "hostile" / "kinds.json").read_text(encoding="utf-8"))
HONEST = "HONEST"
LIMITS = ("--config", ROOT / "tests" / "hostile" / "host.toml", "--max-time", "5s")


@contextmanager
def served(rule, skus):
    """A host that serves the shop with this rule; gives its port."""
    shop = ROOT / "target" / "e2e" / f"hostile-front-over-{rule}.wasm"
    if not shop.exists():
        sys.exit(f"error: {shop.relative_to(ROOT)} is not there: run the test `hostile` of the package e2e first")
    with tempfile.TemporaryDirectory() as directory:
        inside = Path(directory) / "inside"
        inside.mkdir()
        (inside / "note").write_text("a note", encoding="utf-8")
        grants = ["--keyvalue", f"redb:{directory}/shop.redb", "--cache", str(ROOT / "target" / "cache")]
        if rule == "hostile-reaching":
            grants += ["--stdio", "--env", "PEER=127.0.0.1:9", "--dir", f"{inside}::/data"]
            grants += ["--http-out", "none", "--sockets", "none"]
        stock(shop, grants, skus)
        command = [HOST, "serve", shop, "--addr", "127.0.0.1:0", *grants, *LIMITS]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as host:
            try:
                yield int(host.stdout.readline().rsplit(":", 1)[1])
            finally:
                host.terminate()


def order(port, key, sku):
    """Places an order; gives its status."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("POST", f"/orders/{key}/{sku}/1")
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()


def ask(port, until, sku, wanted, told):
    """Places order after order until it is time; tells how long each took, or which status was not the wanted one."""
    took = []
    for count in itertools.count():
        begin = time.monotonic()
        if begin >= until:
            break
        status = order(port, f"key-{os.getpid()}-{count}", sku)
        took.append(time.monotonic() - begin)
        if status != wanted:
            told.put((sku, status, took))
            return
    told.put((sku, None, took))


def run(port, seconds, honest, harmful, kind):
    """How long honest orders took, in seconds, and how often harm was done meanwhile."""
    until, told = time.monotonic() + seconds, multiprocessing.Queue()
    asked = [(f"{HONEST}-{client}", 201) for client in range(honest)] + [(kind["sku"], kind["status"])] * harmful
    # A process each: clients of one process would wait for each other.
    clients = [multiprocessing.Process(target=ask, args=(port, until, *one, told)) for one in asked]
    for client in clients:
        client.start()
    answers = [told.get() for _ in clients]
    for client in clients:
        client.join()
    for sku, status, _ in answers:
        if status is not None:
            sys.exit(f"error: {kind['kind']} by {kind['rule']}: an order of {sku} ended with {status}")
    took = [time for sku, _, times in answers if sku.startswith(HONEST) for time in times]
    return took, sum(len(times) for sku, _, times in answers if not sku.startswith(HONEST))


def at(times, share):
    """The time that this share of all did not exceed."""
    times = sorted(times)
    return times[min(len(times) - 1, int(len(times) * share))]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5, help="how long each is measured")
    parser.add_argument("--honest", type=int, default=2, help="clients that buy")
    parser.add_argument("--harmful", type=int, default=1, help="clients that ask for harm")
    parser.add_argument("--all", action="store_true", help="every row, not the first of each kind")
    parser.add_argument("--rule", choices=sorted({kind["rule"] for kind in KINDS}), help="every row of this rule")
    arguments = parser.parse_args()
    seen = set()
    if arguments.rule:
        rows = [kind for kind in KINDS if kind["rule"] == arguments.rule]
    else:
        rows = [kind for kind in KINDS if arguments.all or not (kind["kind"] in seen or seen.add(kind["kind"]))]
    load_average = os.getloadavg()
    print(
        f"{os.cpu_count()} processors, {platform.system()} {platform.machine()}; load before: "
        f"{load_average[0]:.1f}; {arguments.honest} honest and {arguments.harmful} harmful clients, "
        f"{arguments.seconds:g} s each"
    )
    print("\n| kind | guest | orders alone | p99 alone | orders beside | p99 beside | ratio | harms |")
    print("|---|---|---|---|---|---|---|---|")
    for rule, kinds in itertools.groupby(sorted(rows, key=lambda kind: kind["rule"]), key=lambda kind: kind["rule"]):
        kinds = list(kinds)
        skus = [kind["sku"] for kind in kinds] + [f"{HONEST}-{client}" for client in range(arguments.honest)]
        with served(rule, skus) as port:
            run(port, 1, arguments.honest, 0, kinds[0])
            for kind in kinds:
                alone, _ = run(port, arguments.seconds, arguments.honest, 0, kind)
                beside, harms = run(port, arguments.seconds, arguments.honest, arguments.harmful, kind)
                before, after = at(alone, 0.99), at(beside, 0.99)
                print(
                    f"| {kind['kind']} | `{rule} {kind['sku']}` | {len(alone)} | {before * 1000:.1f} ms | {len(beside)} | "
                    f"{after * 1000:.1f} ms | {after / before:.1f} | {harms} |",
                    flush=True,
                )
    print(f"\nload after: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
