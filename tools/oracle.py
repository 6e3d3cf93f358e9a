"""Asks the engine and `composer check` about pairs of components that chance makes, and compares their words.

    python3 tools/oracle.py [--seed N] [--pairs N] [--threads N]

A seed makes one world with up to five edits, which are some three pairs. Without `--seed`, seeds begin where the hash of the commit
says, so each commit is tried with others; the seed is printed, and the same seed makes the same pairs on every machine. What
composer/tests/it/oracle/pairs.rs always examines is part of `./just test`, and not of this.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TEST = "oracle::pairs::check_says_what_the_engine_says"
# Behind the user's own: the directory has a Python too.
PATH = f"{os.environ['PATH']}{os.pathsep}{ROOT / 'target' / 'tools' / 'test' / 'bin'}"


def seed_of(commit):
    """Where the seeds of a commit begin: at the first 60 bits of its hash, so that no range of seeds overflows."""
    return int(commit[:15], 16)


def head():
    found = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    if found.returncode != 0:
        sys.exit("error: there is no commit to take a seed from: give `--seed N`")
    return found.stdout.strip()


def number(text):
    """A number that is not negative and fits into 64 bits, in decimal or with `0x`."""
    value = int(text, 0)
    if not 0 <= value < 1 << 64:
        raise ValueError
    return value


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--seed", type=number, help="where the seeds begin (default: where the commit's hash says)")
    parser.add_argument("--pairs", type=number, default=20_000, help="how many pairs (default: 20000)")
    parser.add_argument("--threads", type=number, default=os.cpu_count() or 1, help="(default: one a processor)")
    arguments = parser.parse_args()
    seed = seed_of(head()) if arguments.seed is None else arguments.seed
    print(f"to see the same again: ./just oracle --seed {seed} --pairs {arguments.pairs}", flush=True)
    asked = {"ORACLE_SEED": seed, "ORACLE_PAIRS": arguments.pairs, "ORACLE_THREADS": max(arguments.threads, 1)}
    # No package is named: that would resolve other features, and build what the tests need a second time.
    run = ["cargo", "nextest", "run", "--release", "--locked", "--tests", "--no-capture", "-E", f"test(={TEST})"]
    env = {**os.environ, **{name: str(value) for name, value in asked.items()}, "PATH": PATH}
    return subprocess.run(run, cwd=ROOT, env=env, stdin=subprocess.DEVNULL).returncode


if __name__ == "__main__":
    sys.exit(main())
