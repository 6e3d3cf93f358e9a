"""The totals rest on the summaries of the runners: the words of each, and what must not pass as a success."""

import contextlib
import io
import unittest
from unittest import mock

import check


class Counting(unittest.TestCase):
    def counts(self, text, *expected):
        self.assertEqual(check.count(text), expected)

    def test_nextest(self):
        self.counts("     Summary [   0.5s] 12 tests run: 12 passed (2 slow), 3 skipped\n", 12, 0)
        self.counts("     Summary [   9.0s] 12/20 tests run: 9 passed, 2 failed, 1 timed out, 8 skipped\n", 9, 3)
        self.counts("     Summary [   0.0s] 1 test run: 1 passed, 0 skipped\n" * 2, 2, 0)

    def test_rustdoc(self):
        # A test that was ignored did not pass.
        self.counts("test result: FAILED. 3 passed; 1 failed; 2 ignored; 0 measured; 0 filtered out\n", 3, 3)

    def test_unittest(self):
        self.counts("Ran 12 tests in 0.1s\n\nOK\n", 12, 0)
        self.counts("Ran 12 tests in 0.1s\n\nFAILED (failures=2, errors=1)\n", 9, 3)
        self.counts("Ran 5 tests in 0.1s\n\nOK (skipped=2)\n", 3, 2)
        self.counts("Ran 0 tests in 0.000s\n\nNO TESTS RAN\n", 0, 0)

    def test_node(self):
        self.counts("ℹ tests 9\nℹ pass 6\nℹ fail 1\nℹ cancelled 0\nℹ skipped 1\nℹ todo 1\n", 6, 3)

    def test_zig(self):
        self.counts("All 7 tests passed.\n", 7, 0)
        self.counts("3 passed; 1 skipped; 2 failed.\n", 3, 3)

    def test_fuzz(self):
        self.counts("fuzzing: 11 targets held, 1 failed\n", 11, 1)


class Parts(unittest.TestCase):
    def run_part(self, *commands, what=None):
        def steps(part):
            for command in commands:
                part.run("sh", "-c", command, what=what)

        self.addCleanup(lambda: (check.LOGS / "made-up.log").unlink(missing_ok=True))
        check.LOGS.mkdir(parents=True, exist_ok=True)
        # What it prints looks like results, and the results of this very run are counted from its output.
        with mock.patch.dict(check.PARTS, {"made-up": steps}), contextlib.redirect_stdout(io.StringIO()):
            part = check.run_part("made-up")
            return part.passed, part.failed, check.report([part])

    def test_all_passed(self):
        self.assertEqual(self.run_part("echo All 7 tests passed.", "echo All 2 tests passed."), (9, 0, 0))

    def test_a_part_in_which_no_test_ran_has_failed(self):
        self.assertEqual(self.run_part(), (0, 1, 1))
        self.assertEqual(self.run_part("echo Ran 0 tests in 0.0s"), (0, 1, 1))

    def test_a_runner_that_breaks_without_a_failed_test_has_failed(self):
        self.assertEqual(self.run_part("echo Ran 3 tests in 0.0s; exit 3"), (3, 1, 1))

    def test_a_runner_that_finds_no_test_has_failed_beside_one_that_does(self):
        self.assertEqual(self.run_part("echo All 7 tests passed.", "echo Ran 0 tests in 0.0s"), (7, 1, 1))

    def test_a_missing_program_has_failed(self):
        part = check.Part("made-up")
        check.LOGS.mkdir(parents=True, exist_ok=True)
        with contextlib.redirect_stdout(io.StringIO()):
            self.assertFalse(part.run("no-such-program-anywhere"))
        self.assertEqual((part.passed, part.failed), (0, 1))

    def test_a_command_that_is_a_check_counts_as_one(self):
        self.assertEqual(self.run_part("echo All 7 tests passed.", what="a check"), (1, 0, 0))
        self.assertEqual(self.run_part("exit 1", what="a check"), (0, 1, 1))


if __name__ == "__main__":
    unittest.main()
