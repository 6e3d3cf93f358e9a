"""Runs cargo-fuzz on targets, side by side: each for some seconds, from its corpus and from what earlier runs kept.

    python3 tools/fuzz.py [TARGET...] [--seconds N] [--jobs N]
    python3 tools/fuzz.py run|tmin|cmin TARGET FILE...    what `cargo fuzz` does, on the same programs
    python3 tools/fuzz.py replay TARGET FILE...           the same inputs without the fuzzer; `.wat` is assembled

Inputs that fail go to fuzz/artifacts, and those that reach new code to target/fuzz/corpus. `run` replays an input, `tmin`
makes it smaller, and `cmin` drops from a corpus the inputs that add no coverage.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FUZZ = ROOT / "fuzz"
OUT = ROOT / "target" / "fuzz"
# On stable Rust, so without a sanitizer. One codegen unit would make faster programs, and take minutes more to build.
OPTIONS = ["--sanitizer", "none", "--release", "--codegen-units", "16", "--features", "program"]
OPTIONS += ["--target-dir", str(OUT / "build")]
# Limits for one input: seconds, megabytes for the whole process, and length in bytes. The harness also counts memory, with a
# tighter limit.
LIMITS = ["-timeout=20", "-rss_limit_mb=3000", "-max_len=8192"]
# Behind the user's own: the directory has a Python too.
PATH = f"{os.environ['PATH']}{os.pathsep}{ROOT / 'target' / 'tools' / 'test' / 'bin'}"


def cargo_fuzz(*words, **more):
    env = {**os.environ, "PATH": PATH, **more.pop("env", {})}
    return subprocess.run(["cargo", "fuzz", *map(str, words)], cwd=FUZZ, env=env, stdin=subprocess.DEVNULL, text=True, **more)


def fuzz(target, seconds):
    """Fuzzes one target; returns whether it held, and a line about it with the output where it did not."""
    corpus, seeds = OUT / "corpus" / target, OUT / "seeds" / target
    shutil.rmtree(seeds, ignore_errors=True)
    for folder in (corpus, seeds):
        folder.mkdir(parents=True, exist_ok=True)
    options = [*LIMITS, f"-max_total_time={seconds}"]
    if (dictionary := FUZZ / "dict" / f"{target}.dict").exists():
        options.append(f"-dict={dictionary}")
    words = ["run", *OPTIONS, target, corpus, seeds, "--", *options]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "errors": "replace"}
    done = cargo_fuzz(*words, env={"FUZZ_SEEDS": str(seeds)}, **pipes)
    found = re.findall(r"^#(\d+)\s.*?\bcov: (\d+).*?\bcorp: (\d+)/", done.stdout, re.M)
    # Where it was not run at all it did not hold.
    runs, edges, kept = map(int, found[-1]) if found else (0, 0, 0)
    good = done.returncode == 0 and runs > 0
    line = f"{target:<10} {runs:>9,} runs, {edges:>6,} edges, corpus of {kept:>5,}"
    again = f"to see it again: ./just fuzz run {target} FILE, with the file in fuzz/artifacts/{target}"
    return good, line if good else f"{line}   FAILED\n{done.stdout[-5000:]}\n{again}"


def pass_on(command, target, files):
    """Has `cargo fuzz` work on files, or replays them without it."""
    check_names([target])
    files = [Path(file).resolve() for file in files]
    if command == "replay":
        replay = ["cargo", "run", "--quiet", "--release", "--locked", "-p", "fuzz", "--features", "program", "--bin", target]
        return subprocess.run([*replay, "--", *files], cwd=ROOT).returncode
    limits = ["--", *LIMITS] if command == "run" else []
    return cargo_fuzz(command, *OPTIONS, target, *files, *limits).returncode


def targets():
    """The names of all targets."""
    listed = cargo_fuzz("list", stdout=subprocess.PIPE)
    if listed.returncode != 0:
        sys.exit("error: cargo-fuzz does not run: `python3 tools/setup.py tests` installs it")
    return listed.stdout.split()


def check_names(names):
    known = targets()
    if unknown := [name for name in names if name not in known]:
        sys.exit(f"error: there is no target `{unknown[0]}`; there are {', '.join(known)}")
    return names or known


def main():
    if len(sys.argv) > 3 and sys.argv[1] in ("run", "tmin", "cmin", "replay"):
        return pass_on(sys.argv[1], sys.argv[2], sys.argv[3:])
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("targets", nargs="*", metavar="TARGET")
    parser.add_argument("--seconds", type=int, default=60, help="for each target (default: 60)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="targets at once (default: one a processor)")
    arguments = parser.parse_args()
    chosen = check_names(arguments.targets)
    if cargo_fuzz("build", *OPTIONS).returncode != 0:
        sys.exit("error: the targets cannot be built; libFuzzer needs a C++ compiler as `c++`")
    passed = failed = 0
    with ThreadPoolExecutor(arguments.jobs) as pool:
        for good, line in pool.map(lambda target: fuzz(target, arguments.seconds), chosen):
            print(line, flush=True)
            passed, failed = passed + good, failed + (not good)
    print(f"fuzzing: {passed} targets held, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
