"""Tests of fuzz.py: that it knows the targets there are, and reads what libFuzzer says."""

import re
import unittest
from unittest import mock

import fuzz

OUTPUT = """\
INFO: Seed: 1
#2\tINITED cov: 70 ft: 80 corp: 1/1b exec/s: 0 rss: 27Mb
#725\tNEW    cov: 81 ft: 88 corp: 2/12b lim: 11 exec/s: 0 rss: 27Mb L: 11/11 MS: 3 Custom-
#1000\tDONE   cov: 81 ft: 88 corp: 2/12b lim: 11 exec/s: 500 rss: 27Mb
"""
CRASH = f"""\
#725\tNEW    cov: 81 ft: 88 corp: 2/12b
thread '<unnamed>' panicked at fuzz/src/main.rs:31:17:
it broke
Test unit written to {fuzz.OUT}/found/wac-crash-00
"""


class Fuzz(unittest.TestCase):
    def outcome(self, code, text):
        with mock.patch.object(fuzz, "call", return_value=(code, text)), mock.patch.object(fuzz.shutil, "rmtree"):
            return fuzz.fuzz("wac", 1)

    def test_targets_are_those_of_the_crate(self):
        source = (fuzz.ROOT / "fuzz" / "src" / "lib.rs").read_text(encoding="utf-8")
        self.assertEqual(list(fuzz.TARGETS), re.findall(r'Target \{ name: "([a-z-]+)"', source))
        for target in fuzz.TARGETS:
            self.assertTrue(any((fuzz.ROOT / "fuzz" / "corpus" / target).iterdir()), target)

    def test_dictionaries_belong_to_targets(self):
        for path in (fuzz.ROOT / "fuzz" / "dict").iterdir():
            self.assertIn(path.stem, fuzz.TARGETS)

    def test_what_was_done_is_read_from_the_last_line_that_says_so(self):
        outcome = self.outcome(0, OUTPUT)
        self.assertTrue(outcome.good)
        self.assertEqual((outcome.runs, outcome.coverage, outcome.corpus), (1000, 81, 2))

    def test_a_failure_comes_with_its_input_and_how_to_see_it_again(self):
        outcome = self.outcome(77, CRASH)
        self.assertFalse(outcome.good)
        self.assertEqual(outcome.found, "target/fuzz/found/wac-crash-00")
        told = fuzz.explain(outcome)
        self.assertIn("it broke", told)
        self.assertIn("python3 tools/fuzz.py replay wac target/fuzz/found/wac-crash-00", told)


if __name__ == "__main__":
    unittest.main()
