"""Tests of fuzz.py: that it knows the targets there are, and reads what libFuzzer says."""

import contextlib
import io
import re
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import fuzz

OUTPUT = """\
INFO: Seed: 1
#2\tINITED cov: 70 ft: 80 corp: 1/1b exec/s: 0 rss: 27Mb
#725\tNEW    cov: 81 ft: 88 corp: 2/12b lim: 11 exec/s: 0 rss: 27Mb L: 11/11 MS: 3 Custom-
#1000\tDONE   cov: 81 ft: 88 corp: 2/12b lim: 11 exec/s: 500 rss: 27Mb
"""
CRASH = """\
#725\tNEW    cov: 81 ft: 88 corp: 2/12b
thread '<unnamed>' panicked at fuzz/src/main.rs:31:17:
it broke
Test unit written to ROOT/target/fuzz/found/wac-crash-00
"""


class Fuzz(unittest.TestCase):
    def setUp(self):
        # What is found goes to a folder of the test's own; nothing is built, and libFuzzer says what the test says.
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.out = Path(folder.name)
        self.said = io.StringIO()
        self.calls = []
        self.does = lambda _options: (0, "")
        for name, other in [("OUT", self.out), ("build", lambda: None), ("call", self.call)]:
            patch = mock.patch.object(fuzz, name, other)
            patch.start()
            self.addCleanup(patch.stop)

    def call(self, target, options, seeds=None, inputs=None):
        options = [str(option) for option in options]
        self.calls.append((target, options, inputs))
        return self.does(options)

    def command(self, *words):
        arguments = fuzz.parse(list(map(str, words)))
        with contextlib.redirect_stdout(self.said):
            return arguments.do(arguments)

    def file(self, name, content=b"input"):
        path = self.out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def outcome(self, code, text):
        self.does = lambda _options: (code, text)
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
        outcome = self.outcome(77, CRASH.replace("ROOT", str(fuzz.ROOT)))
        self.assertFalse(outcome.good)
        self.assertEqual(outcome.found, "target/fuzz/found/wac-crash-00")
        told = fuzz.explain(outcome)
        self.assertIn("it broke", told)
        self.assertIn("python3 tools/fuzz.py replay wac target/fuzz/found/wac-crash-00", told)

    def test_what_is_not_there_is_said_before_anything_is_built(self):
        with mock.patch.object(fuzz, "build", side_effect=AssertionError("built")):
            for words, said in [
                (["run", "nosuch"], "there is no target `nosuch`"),
                (["replay", "wac", "gone"], "there is no file `gone`"),
                (["shrink", "wac", "gone"], "there is no file `gone`"),
                (["keep", "wac"], "nothing was found yet"),
            ]:
                with self.assertRaisesRegex(fuzz.FuzzError, said):
                    self.command(*words)

    def test_texts_of_components_are_assembled_before_they_are_replayed(self):
        seed, other = self.file("seed.wat"), self.file("seed.wit")
        self.assertEqual(self.command("replay", "diff", seed, other), 0)
        (_, options, inputs) = self.calls[0]
        self.assertEqual(options[-2:], [str(inputs / "0-seed"), str(inputs / "1-seed.wit")])
        self.assertEqual(sorted(path.name for path in inputs.iterdir()), ["0-seed.wat", "1-seed.wit"])
        self.does = lambda _options: (77, "it broke")
        self.assertEqual(self.command("replay", "diff", seed), 1)

    def test_an_input_that_does_not_fail_cannot_be_shrunk(self):
        self.file("found/crash.small", b"of an earlier run")
        crash = self.file("crash")
        self.does = lambda _options: (1, "did not crash")
        with self.assertRaisesRegex(fuzz.FuzzError, "does not fail"):
            self.command("shrink", "wac", crash)
        self.assertFalse((self.out / "found/crash.small").exists())

    def test_what_was_shrunk_is_named(self):
        def shrinks(options):
            self.assertIn("-minimize_crash=1", options)
            self.file("found/crash.small", b"in")
            return 0, ""

        self.does = shrinks
        self.assertEqual(self.command("shrink", "wac", self.file("crash")), 0)
        self.assertIn(str(self.out / "found/crash.small"), self.said.getvalue())

    def test_a_few_small_inputs_are_kept_and_none_is_cut_off(self):
        kept = self.out / "repository"
        (kept / "fuzz/corpus/wac").mkdir(parents=True)
        self.file("corpus/wac/large", b"x" * (fuzz.KEPT + 1))
        for number in range(fuzz.MOST + 5):
            self.file(f"corpus/wac/{number:02}", b"y" * (number + 1))

        def merges(options):
            if "-set_cover_merge=1" in options:
                chosen, candidates = map(Path, options[-2:])
                self.assertNotIn("large", [path.name for path in candidates.iterdir()])
                for path in candidates.iterdir():
                    (chosen / path.name).write_bytes(path.read_bytes())
            return 0, ""

        self.does = merges
        with mock.patch.object(fuzz, "ROOT", kept):
            self.assertEqual(self.command("keep", "wac"), 0)
        sizes = sorted(path.stat().st_size for path in (kept / "fuzz/corpus/wac").iterdir())
        self.assertEqual(sizes, list(range(1, fuzz.MOST + 1)))
        self.assertIn(f"{fuzz.MOST} added, and 5 more would cover something new", self.said.getvalue())


if __name__ == "__main__":
    unittest.main()
