#!/usr/bin/env python3
"""What is read from a console, and how results of parts come together."""

import pathlib
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True

import machine  # noqa: E402
import results  # noqa: E402

CONSOLE = """\r
\x1b[2J@@ fact kernel 7.3.4\r
@@ fact transports dev fuse_uring
@@ core dev hello ok 1 s
@@ core dev memfs failed exit=1 it broke
@@ contract fuse_uring single ok 3 s
@@ cuse dev device absent none
@@ kernel - dmesg ok
"""


def row_of(console, groups):
    row = results.empty_row("7", "4cpu-2node")
    results.merge(row, machine.read_console(console), groups)
    return row


class Console(unittest.TestCase):
    def test_steps_and_facts_are_read(self):
        outcome = machine.read_console(CONSOLE)
        self.assertTrue(outcome.started)
        self.assertEqual(outcome.facts, {"kernel": "7.3.4", "transports": "dev fuse_uring"})
        self.assertEqual(outcome.steps[1], ("core", "dev", "memfs", "failed", "exit=1 it broke"))

    def test_a_console_without_its_end_is_a_failure(self):
        self.assertEqual([step[2] for step in machine.read_console(CONSOLE).failures()], ["memfs", "boot"])
        self.assertEqual([step[2] for step in machine.read_console(CONSOLE + "@@ end\n").failures()], ["memfs"])

    def test_an_empty_console_is_a_failure(self):
        outcome = machine.read_console("")
        self.assertFalse(outcome.started)
        self.assertEqual(len(outcome.failures()), 1)


class Shapes(unittest.TestCase):
    FACTS = {"cpus_online": "0-1", "cpus_present": "0-1", "cpus_possible": "0-3", "nodes": "0", "memory": "990000"}

    def test_the_right_machine_holds(self):
        self.assertEqual(machine.shape_step(machine.SHAPES["absent"], self.FACTS)[3:], ("ok", ""))

    def test_another_machine_is_a_failure(self):
        step = machine.shape_step(machine.SHAPES["absent"], self.FACTS | {"cpus_possible": "0-1"})
        self.assertEqual(step[3:], ("failed", "cpus_possible is 0-1, not 4 of them"))
        self.assertEqual(machine.shape_step(machine.SHAPES["512mib"], self.FACTS)[3], "failed")

    def test_lists_of_numbers_are_counted(self):
        self.assertEqual([machine.size_of(text) for text in ("", "0", "0-3", "0,2-3", "0,2,63")], [0, 1, 4, 3, 3])


class Rows(unittest.TestCase):
    def test_a_step_that_failed_shows(self):
        line = results.table_line(row_of(CONSOLE + "@@ end\n", ["core"]))
        self.assertEqual(line[3:6], ["**1/2**, -, -", "not there", "-, 1/1, -"])
        self.assertEqual(line[6], "-")
        self.assertEqual(line[8], "clean")

    def test_a_boot_that_did_not_end_shows(self):
        self.assertIn("not to the end", results.table_line(row_of(CONSOLE, ["core"]))[8])

    def test_a_part_that_is_run_again_replaces_what_it_said_and_nothing_else(self):
        row = row_of(CONSOLE + "@@ end\n", ["core", "contract"])
        again = "@@ core dev memfs ok\n@@ kernel - dmesg failed WARNING: x\n@@ end\n"
        results.merge(row, machine.read_console(again), ["core"])
        line = results.table_line(row)
        self.assertEqual(line[3:6], ["1/1, -, -", "not there", "-, 1/1, -"])
        self.assertEqual(line[8], "**WARNING: x**")
        results.merge(row, machine.read_console(again.replace("failed WARNING: x", "ok")), ["core"])
        self.assertEqual(results.table_line(row)[8], "clean")

    def test_a_missing_kernel_shows_and_a_later_boot_replaces_it(self):
        row = results.empty_row("6.12", "2cpu")
        results.merge(row, None, ["core"], "no suite has it")
        self.assertIn("**missing**: no suite has it", results.table([row]))
        results.merge(row, machine.read_console(CONSOLE + "@@ end\n"), ["core"])
        self.assertNotIn("missing", results.table([row]))

    def test_runs_at_the_same_time_keep_each_other_s_results(self):
        with tempfile.TemporaryDirectory() as home:
            one, other = (results.Results(pathlib.Path(home, "found.json")) for _ in range(2))
            one.merge("7", "1cpu", machine.read_console(CONSOLE), ["core"])
            other.merge("6.1", "2cpu", machine.read_console(CONSOLE), ["core"])
            again = results.Results(pathlib.Path(home, "found.json"))
        self.assertEqual([row["series"] for row in again.sorted()], ["6.1", "7"])
        self.assertEqual(results.table(again.sorted()), results.table(other.sorted()))


if __name__ == "__main__":
    unittest.main()
