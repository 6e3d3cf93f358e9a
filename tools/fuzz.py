"""Runs the fuzz targets, side by side: each for some time, from its corpus and from what earlier runs kept.

    python3 tools/fuzz.py [TARGET...] [--seconds N | --hours N] [--jobs N]
    python3 tools/fuzz.py table                           what ran in all, as the table of docs/fuzzing.md
    python3 tools/fuzz.py run|tmin|cmin TARGET FILE...    what `cargo fuzz` does, on the same programs
    python3 tools/fuzz.py replay TARGET FILE...           the same inputs without the fuzzer; `.wat` is assembled

Inputs that fail go to fuzz/artifacts, and those that reach new code to target/fuzz/corpus. `run` replays an input, `tmin`
makes it smaller, and `cmin` drops from a corpus the inputs that add no coverage. Each run adds a line to target/fuzz/ledger.jsonl.

The target `host` is its own fuzzer, without instrumentation: to build the engine a second time would take many minutes.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FUZZ = ROOT / "fuzz"
OUT = ROOT / "target" / "fuzz"
LEDGER = OUT / "ledger.jsonl"
# Targets that libFuzzer does not run.
ALONE = ("host",)
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


def alone(target, *words, build=False):
    """The command that builds or runs a target without libFuzzer, with the engine that everything else is built with."""
    feature = target if target in ALONE else "program"
    # No package is named: that would resolve other features, and build the engine once more.
    chosen = ["--quiet", "--release", "--locked", "--features", f"fuzz/{feature}", "--bin", target]
    return ["cargo", "build", *chosen] if build else ["cargo", "run", *chosen, "--", *map(str, words)]


def guided(target, seconds):
    """The command that has libFuzzer run a target, and what it needs in its environment."""
    corpus, seeds = OUT / "corpus" / target, OUT / "seeds" / target
    shutil.rmtree(seeds, ignore_errors=True)
    for directory in (corpus, seeds):
        directory.mkdir(parents=True, exist_ok=True)
    options = [*LIMITS, f"-max_total_time={seconds}"]
    if (dictionary := FUZZ / "dict" / f"{target}.dict").exists():
        options.append(f"-dict={dictionary}")
    return ["cargo", "fuzz", "run", *OPTIONS, target, corpus, seeds, "--", *options], {"FUZZ_SEEDS": str(seeds)}


def fuzz(target, seconds):
    """Fuzzes one target; returns whether it held, and a line about it with the output where it did not."""
    words, env, cwd = alone(target, "--wander", seconds, OUT / "corpus" / target, FUZZ / "artifacts" / target), {}, ROOT
    if target not in ALONE:
        (words, env), cwd = guided(target, seconds), FUZZ
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "errors": "replace"}
    began = time.time()
    process = subprocess.Popen([str(word) for word in words], cwd=cwd, env={**os.environ, "PATH": PATH, **env}, text=True, **pipes)
    output = process.stdout.read()
    # With what the process and those that it started used of the processor.
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    found = re.findall(r"^#(\d+)\s.*?\bcov: (\d+).*?\bcorp: (\d+)/", output, re.M)
    # Where it was not run at all it did not hold.
    runs, edges, kept = map(int, found[-1]) if found else (0, 0, 0)
    good = process.returncode == 0 and runs > 0
    record(target, began, used.ru_utime + used.ru_stime, runs, good)
    line = f"{target:<10} {runs:>9,} runs, {edges:>6,} edges, corpus of {kept:>5,}"
    again = f"to see it again: ./just fuzz run {target} FILE, with the file in fuzz/artifacts/{target}"
    return good, line if good else f"{line}   FAILED\n{output[-5000:]}\n{again}"


def record(target, began, processor, runs, held):
    """Adds a run to the ledger."""
    commit = subprocess.run(["git", "rev-parse", "--short=12", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout.strip()
    line = {"target": target, "began": int(began), "seconds": round(time.time() - began), "processor": round(processor)}
    line |= {"runs": runs, "held": held, "commit": commit}
    OUT.mkdir(parents=True, exist_ok=True)
    with LEDGER.open("a", encoding="utf-8") as ledger:
        ledger.write(json.dumps(line) + "\n")


def table():
    """What ran in all, target by target: lines of a table in Markdown."""
    runs = [json.loads(line) for line in LEDGER.read_text(encoding="utf-8").splitlines()] if LEDGER.exists() else []
    lines = ["| target | ran | of the processor | inputs | runs that ended in a failure |", "|---|---|---|---|---|"]
    for target in targets():
        own = [run for run in runs if run["target"] == target]
        total = {key: sum(run[key] for run in own) for key in ("seconds", "processor", "runs")}
        failed = sum(not run["held"] for run in own)
        lines.append(f"| `{target}` | {clock(total['seconds'])} | {clock(total['processor'])} | {total['runs']:,} | {failed} |")
    return "\n".join(lines)


def clock(seconds):
    return f"{seconds // 3600} h {seconds // 60 % 60:02} min"


def pass_on(command, target, files):
    """Has `cargo fuzz` work on files, or replays them without it."""
    check_names([target])
    files = [Path(file).resolve() for file in files]
    if command == "replay" or target in ALONE and command == "run":
        return subprocess.run(alone(target, *files), cwd=ROOT).returncode
    if target in ALONE:
        sys.exit(f"error: the target `{target}` is not built for libFuzzer, so there is no `{command}` for it")
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
    if sys.argv[1:] == ["table"]:
        print(table())
        return 0
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("targets", nargs="*", metavar="TARGET")
    parser.add_argument("--seconds", type=int, default=60, help="for each target (default: 60)")
    parser.add_argument("--hours", type=float, help="the same, in hours")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="targets at once (default: one a processor)")
    arguments = parser.parse_args()
    chosen = check_names(arguments.targets)
    seconds = arguments.seconds if arguments.hours is None else round(arguments.hours * 3600)
    if any(target not in ALONE for target in chosen) and cargo_fuzz("build", *OPTIONS).returncode != 0:
        sys.exit("error: the targets cannot be built; libFuzzer needs a C++ compiler as `c++`")
    for target in chosen:
        if target in ALONE and subprocess.run(alone(target, build=True), cwd=ROOT).returncode != 0:
            sys.exit(f"error: the target `{target}` cannot be built")
    passed = failed = 0
    with ThreadPoolExecutor(arguments.jobs) as pool:
        for good, line in pool.map(lambda target: fuzz(target, seconds), chosen):
            print(line, flush=True)
            passed, failed = passed + good, failed + (not good)
    print(f"fuzzing: {passed} targets held, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
