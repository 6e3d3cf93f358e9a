"""Is composing cheap? Two questions, both about whole processes, from their start to their end:

1. Does `composer compose` take less time and memory for the shop, over 30 MB of parts, than the stock `wac compose`?
2. Does its time grow no worse than linearly with the number of parts, in a chain, a fan and a diamond of small ones?

    python3 benches/composing.py [--runs N]

Needs the shop's components and both commands: `./just bench` sees to that. Commands take turns, so that what else the
machine does hits all of them; of the times of a command the least counts, of its peak memory the median. `processor` is
time on all processors together, `elapsed` is time by the clock: `composer` uses all processors and `wac` one, so what
`elapsed` says depends on whether there is more than one to be had. `composer` does more than `wac` in its time: it writes
SHA-256 digests of all parts into the composition, looks at the limits of every part first, and has the disk confirm the
file before it gets its name.
"""

import argparse
import itertools
import os
import platform
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import parts

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "target"
COMPOSER = TARGET / "release" / "composer"
# As it is published, unlike the one that checks compare with.
VERSION = "0.12.0"
TOOLS = TARGET / "tools" / f"wac-{VERSION}"
STOCK = TOOLS / "bin" / "wac"
SIZES = (120, 240, 480)
SHAPES = {"chain": parts.chain, "fan": parts.fan, "diamond": parts.diamond}
# The kernel counts peak memory in KiB, but that of macOS in bytes.
UNIT = 1 if sys.platform == "darwin" else 1024


class Runs:
    """What the runs of one command took."""

    def __init__(self, command):
        self.command = [str(word) for word in command]
        self.processor, self.elapsed, self.memory = [], [], []

    def run(self):
        start = time.monotonic()
        child = os.posix_spawn(self.command[0], self.command, os.environ)
        _, status, usage = os.wait4(child, 0)
        self.elapsed.append(time.monotonic() - start)
        self.processor.append(usage.ru_utime + usage.ru_stime)
        self.memory.append(usage.ru_maxrss * UNIT)
        if status != 0:
            sys.exit(f"error: this failed: {' '.join(self.command)}")

    def best(self):
        """Processor time and elapsed time in seconds, and memory in bytes."""
        return min(self.processor), min(self.elapsed), statistics.median(self.memory)


def measure(commands, times):
    """Runs each of the commands so many times, in turn, after one run that does not count."""
    every = [Runs(command) for command in commands]
    for command in commands:
        Runs(command).run()
    for _, runs in itertools.product(range(times), every):
        runs.run()
    return [runs.best() for runs in every]


def same(ours, theirs):
    """Ends with an error where two compositions differ in more than custom sections.

    Not in this process: on Linux the peak of a child is at least that of its parent when it was started.
    """
    script = (
        "import sys; sys.path.insert(0, sys.argv[1]); import parts; from pathlib import Path;"
        "one, other = (parts.sections(Path(file).read_bytes()) for file in sys.argv[2:]); sys.exit(one != other)"
    )
    if subprocess.run([sys.executable, "-c", script, Path(__file__).parent, ours, theirs]).returncode != 0:
        sys.exit("error: what composer and wac made differs in more than custom sections")


def memory(size):
    """Peak memory in MB, as far as it can be told from that of this process."""
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * UNIT
    return f"{size / 1e6:.0f}" if size > own else f"< {own / 1e6:.0f}"


def given(files):
    return [word for name, file in files for word in ("-d", f"parts:{name}={file}")]


def row(name, *cells):
    print(f"{name:<34}" + "".join(f"{cell:>11}" for cell in cells), flush=True)


def shop(directory, times):
    """The first question."""
    row("the shop", "composer", "wac", "ratio")
    shutil.copytree(ROOT / "wit", directory / "deps" / "shop" / "worlds" / "0.1.0")
    os.chdir(ROOT)
    for name in ("shop-polyglot", "shop-python"):
        text = Path("composer", "compositions", f"{name}.wac")
        named = sorted(set(re.findall(r"\bparts:([a-z0-9-]+)", text.read_text(encoding="utf-8"))))
        files = [(part, TARGET / "components" / f"{part}.wasm") for part in named]
        missing = [file for _, file in files if not file.exists()]
        if missing:
            sys.exit(f"error: there is no {missing[0]}: `./just build` builds it")
        ours, theirs = directory / "ours.wasm", directory / "theirs.wasm"
        us, them = measure(
            [
                [COMPOSER, "compose", text, *given(files), "-o", ours],
                [STOCK, "compose", text, *given(files), "--deps-dir", directory / "deps", "-o", theirs],
            ],
            times,
        )
        same(ours, theirs)
        print(f"{name}, {sum(file.stat().st_size for _, file in files) / 1e6:.1f} MB of parts")
        for what, mine, yours, scale in zip(("processor, ms", "elapsed, ms", "peak memory, MB"), us, them, (1e3, 1e3, 1e-6)):
            row(f"  {what}", f"{mine * scale:.0f}", f"{yours * scale:.0f}", f"{mine / yours:.2f}")


def growth(directory, times):
    """The second question."""
    small, middle, large = SIZES
    print()
    row("small parts, processor time in ms", *SIZES, f"{middle}/{small}", f"{large}/{middle}", f"MB, {large}")
    os.chdir(directory)
    for shape, make in SHAPES.items():
        forms = {"bag": [], ".wac": [], "wac": []}
        for size in SIZES:
            name = f"{shape}-{size}"
            Path(name).mkdir()
            for number, part in enumerate(make(size)):
                Path(name, f"part{number}.wasm").write_bytes(part)
            files = [(f"part{number}", Path(name, f"part{number}.wasm")) for number in range(size)]
            text = Path(f"{name}.wac")
            found = subprocess.run(
                [COMPOSER, "compose", name, "-o", "whole.wasm", "--emit-wac", "-"], capture_output=True, check=True
            )
            text.write_bytes(found.stdout)
            commands = [
                [COMPOSER, "compose", name, "-o", "bag.wasm"],
                [COMPOSER, "compose", text, *given(files), "-o", "text.wasm"],
                [STOCK, "compose", text, *given(files), "-o", "theirs.wasm"],
            ]
            for form, best in zip(forms.values(), measure(commands, times)):
                form.append(best)
        for form, best in forms.items():
            spent = [processor for processor, _, _ in best]
            words = {"bag": "composer, bag", ".wac": "composer, .wac", "wac": "wac, the same .wac"}[form]
            ratios = [f"{spent[1] / spent[0]:.2f}", f"{spent[2] / spent[1]:.2f}"]
            row(f"{shape}, {words}", *(f"{1e3 * one:.1f}" for one in spent), *ratios, memory(best[-1][2]))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--runs", type=int, default=15, help="how often each command runs (default: 15)")
    times = parser.parse_args().runs
    if not STOCK.exists():
        print(f"building wac {VERSION}, once (some 10 minutes)", file=sys.stderr, flush=True)
        install = ["cargo", "install", "--locked", "--quiet", "--root", TOOLS, "--version", VERSION, "wac-cli"]
        with tempfile.TemporaryDirectory() as build:
            if subprocess.run(install, env={**os.environ, "CARGO_TARGET_DIR": build}).returncode != 0:
                sys.exit("error: the stock wac could not be installed")
    load = os.getloadavg()[0]
    print(f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors, load {load:.1f}, {times} runs each")
    with tempfile.TemporaryDirectory() as directory:
        shop(Path(directory), times)
        growth(Path(directory), times)


if __name__ == "__main__":
    main()
