"""Tests of tools/fuzz.py and tools/oracle.py: python3 -m unittest discover -s tools -t tools"""

import contextlib
import io
import json
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import fuzz
import oracle


class Ledger(unittest.TestCase):
    def test_runs_add_up(self):
        with tempfile.TemporaryDirectory() as directory, contextlib.ExitStack() as stack:
            ledger = Path(directory) / "fuzz" / "ledger.jsonl"
            for name, value in (("OUT", ledger.parent), ("LEDGER", ledger), ("targets", lambda: ["wac", "host"])):
                stack.enter_context(mock.patch.object(fuzz, name, value))
            began = fuzz.time.time() - 3_700
            fuzz.record("wac", began, 100.4, 1_000, held=True)
            fuzz.record("wac", began, 20.0, 234, held=False)
            first = json.loads(ledger.read_text(encoding="utf-8").splitlines()[0])
            self.assertEqual((first["target"], first["runs"], first["held"]), ("wac", 1_000, True))
            self.assertEqual(
                fuzz.table().splitlines()[2:],
                ["| `wac` | 2 h 03 min | 0 h 02 min | 1,234 | 1 |", "| `host` | 0 h 00 min | 0 h 00 min | 0 | 0 |"],
            )

    def test_nothing_ran(self):
        with mock.patch.object(fuzz, "LEDGER", Path("there-is-none")), mock.patch.object(fuzz, "targets", lambda: []):
            self.assertEqual(len(fuzz.table().splitlines()), 2)


class Commands(unittest.TestCase):
    def test_the_engine_is_not_built_with_instrumentation(self):
        command = fuzz.alone("host", "--wander", 10)
        self.assertEqual(command[:2], ["cargo", "run"])
        self.assertNotIn("-p", command)
        self.assertEqual(command[-3:], ["--", "--wander", "10"])


class Seeds(unittest.TestCase):
    def test_each_commit_has_its_own(self):
        seed = oracle.seed_of("0123456789abcdef0123456789abcdef01234567")
        self.assertEqual(seed, 0x0123456789ABCDE)
        self.assertLess(oracle.seed_of("f" * 40) + 10**9, 1 << 64)

    def test_numbers(self):
        self.assertEqual(oracle.number("0x10"), 16)
        for text in ("-1", "one", str(1 << 64)):
            with self.subTest(text), contextlib.redirect_stderr(io.StringIO()), self.assertRaises(ValueError):
                oracle.number(text)


if __name__ == "__main__":
    unittest.main()
