"""The counting is what the totals rest on: each runner's own words, and what must not pass as a success."""

import contextlib
import io
import time
import unittest

import check
from check import Count


class Counting(unittest.TestCase):
    def test_cargo_sums_all_programs(self):
        text = (
            "     Running unittests src/lib.rs (target/release/deps/anatomy-1)\n\n"
            "running 2 tests\n..\n"
            "test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\n"
            "     Running tests/hostile.rs (target/release/deps/hostile-1)\n"
            "test result: FAILED. 3 passed; 1 failed; 2 ignored; 0 measured; 0 filtered out; finished in 0.1s\n"
            "   Doc-tests anatomy\n"
            "test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.1s\n"
        )
        # What is ignored did not pass.
        self.assertEqual(check.count_cargo(text), Count(6, 3))
        self.assertEqual(
            check.suites(text), [("lib", Count(2, 0)), ("hostile", Count(3, 3)), ("anatomy", Count(1, 0))]
        )

    def test_unittest(self):
        self.assertEqual(check.count_unittest("Ran 12 tests in 0.1s\n\nOK\n"), Count(12, 0))
        self.assertEqual(check.count_unittest("Ran 1 test in 0.1s\n\nOK\n"), Count(1, 0))
        self.assertEqual(
            check.count_unittest("Ran 12 tests in 0.1s\n\nFAILED (failures=2, errors=1)\n"), Count(9, 3)
        )
        self.assertEqual(check.count_unittest("Ran 5 tests in 0.1s\n\nOK (skipped=2)\n"), Count(3, 2))
        self.assertEqual(check.count_unittest("Ran 0 tests in 0.000s\n\nNO TESTS RAN\n"), Count(0, 0))

    def test_node(self):
        text = "ℹ tests 9\nℹ suites 0\nℹ pass 6\nℹ fail 1\nℹ cancelled 0\nℹ skipped 1\nℹ todo 1\n"
        self.assertEqual(check.count_node(text), Count(6, 3))

    def test_zig(self):
        self.assertEqual(check.count_zig("All 7 tests passed.\n"), Count(7, 0))
        self.assertEqual(check.count_zig("3 passed; 1 skipped; 2 failed.\n"), Count(3, 3))


class Parts(unittest.TestCase):
    def setUp(self):
        # What these parts print looks like results, and the results of this very run are counted from its output.
        quiet = contextlib.redirect_stdout(io.StringIO())
        quiet.__enter__()
        self.addCleanup(quiet.__exit__, None, None, None)

    def run_part(self, steps, began=None):
        steps.__doc__ = "a part made for this test"
        self.addCleanup(check.PARTS.pop, "made-up", None)
        self.addCleanup(lambda: (check.LOGS / "made-up.log").unlink(missing_ok=True))
        check.PARTS["made-up"] = (1, steps)
        return check.run_part_in_time("made-up", began)

    def test_a_part_in_which_nothing_ran_has_failed(self):
        part = self.run_part(lambda runner: None)
        self.assertEqual(part.count, Count(0, 1))
        self.assertEqual(check.report([part]), 1)

    def test_a_runner_that_finds_no_test_has_failed_although_it_says_otherwise(self):
        part = self.run_part(lambda runner: runner.run(["echo", "Ran 0 tests in 0.0s"], check.count_unittest))
        self.assertEqual(part.count, Count(0, 1))

    def test_a_runner_that_breaks_without_a_failed_test_has_failed(self):
        part = self.run_part(
            lambda runner: runner.run(["sh", "-c", "echo Ran 3 tests in 0.0s; exit 3"], check.count_unittest)
        )
        self.assertEqual(part.count, Count(3, 1))

    def test_a_missing_program_has_failed(self):
        part = self.run_part(lambda runner: runner.run(["no-such-program-anywhere"], check.count_node))
        self.assertEqual(part.count, Count(0, 1))

    def test_all_passed(self):
        part = self.run_part(lambda runner: runner.run(["echo", "All 7 tests passed."], check.count_zig))
        self.assertEqual((part.count, part.problems), (Count(7, 0), []))
        self.assertEqual(check.report([part]), 0)

    def test_the_budget_is_shown_and_only_warned_about(self):
        part = check.Part("slow", 1, Count(1, 0), 61.0)
        self.assertIn("over budget", "\n".join(check.table([part])))
        self.assertEqual(check.report([part]), 0)

    def test_what_no_time_is_left_for_is_named_and_not_run(self):
        part = self.run_part(lambda runner: self.fail("it ran"), str(time.time() - 60 * check.LONGEST - 1))
        self.assertRegex("\n".join(check.table([part])), "made-up +not run")
        self.assertEqual((part.count, check.report([part])), (Count(), 0))

    def test_what_begins_in_time_is_run(self):
        part = self.run_part(lambda runner: runner.check(True, "it ran"), str(time.time()))
        self.assertEqual(part.count, Count(1, 0))


if __name__ == "__main__":
    unittest.main()
