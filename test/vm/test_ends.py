#!/usr/bin/env python3
"""However test/vm/run is ended, no emulator outlives it: by a signal, killed, or at the bound of a boot. Boots real machines,
and ends them long before their tests are through. And what it says if there is nothing to boot.

    test/vm/test_ends.py --build DIRECTORY"""

import argparse
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.dont_write_bytecode = True

import kernels  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
BOUND_SECONDS = 120
OPTIONS = argparse.Namespace(build=None)
BOOT = "7/1cpu"


def emulators_of(place):
    """Process ids of the emulators whose files are below `place`: theirs only, not those of others on this host."""
    found = set()
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
            state = (entry / "stat").read_text("utf-8").rpartition(")")[2].split()[0]
        except OSError:
            continue
        if b"qemu" in words[0] and state != "Z" and any(word.startswith(os.fsencode(place)) for word in words[1:]):
            found.add(int(entry.name))
    return found


def wait_for(condition):
    end = time.monotonic() + BOUND_SECONDS
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


class Ends(unittest.TestCase):
    def setUp(self):
        # A directory of its own for results, with the programs and the cache of the real one.
        self.home = tempfile.TemporaryDirectory(dir=OPTIONS.build, prefix="vm-ends-")
        self.addCleanup(self.home.cleanup)
        self.place = pathlib.Path(self.home.name)
        (self.place / "test").symlink_to(OPTIONS.build / "test")
        (self.place / "vm").mkdir()
        cache = kernels.cache_place(OPTIONS.build / "vm")
        cache.mkdir(parents=True, exist_ok=True)
        if cache.parent == OPTIONS.build / "vm":
            (self.place / "vm/cache").symlink_to(cache)

    def start(self, *arguments, **environment):
        runner = subprocess.Popen([sys.executable, HERE / "run", "--build", self.place, "--only", BOOT, *arguments],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                  env=os.environ | environment)
        self.addCleanup(runner.stdout.close)
        self.addCleanup(runner.wait)
        self.addCleanup(runner.kill)
        return runner

    def ended_by(self, number):
        runner = self.start()
        self.assertTrue(wait_for(lambda: emulators_of(self.place) or runner.poll() is not None))
        if runner.poll() is not None:
            self.fail(f"no machine was started: {runner.stdout.read()}")
        runner.send_signal(number)
        code = runner.wait(BOUND_SECONDS)
        self.assertNotEqual(code, 0)
        self.assertTrue(wait_for(lambda: not emulators_of(self.place)), "an emulator is left")

    def test_a_runner_that_is_terminated_ends_its_machine(self):
        self.ended_by(signal.SIGTERM)

    def test_a_runner_that_is_interrupted_ends_its_machine(self):
        self.ended_by(signal.SIGINT)

    def test_a_runner_that_is_killed_ends_its_machine(self):
        self.ended_by(signal.SIGKILL)

    def test_a_machine_that_takes_too_long_is_ended_and_has_failed(self):
        runner = self.start("--seconds", "0.5")
        said = runner.communicate(timeout=BOUND_SECONDS)[0]
        self.assertEqual(runner.returncode, 1, said)
        self.assertIn("the tests did not come to their end: not done after", said)
        self.assertEqual(emulators_of(self.place), set())

    def test_a_kernel_that_cannot_be_had_is_a_failure(self):
        tools = self.place / "tools"
        tools.mkdir()
        (tools / "apt-get").symlink_to("/bin/false")
        runner = self.start(XDG_CACHE_HOME=str(self.place / "empty"), PATH=f"{tools}:{os.environ['PATH']}")
        said = runner.communicate(timeout=BOUND_SECONDS)[0]
        self.assertEqual(runner.returncode, 1, said)
        self.assertIn(f"{BOOT}: FAILED: the kernel is missing", said)
        self.assertIn("| 7 | 1 CPU | **missing**", said)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=pathlib.Path, required=True)
    known, rest = parser.parse_known_args()
    OPTIONS.build = known.build.resolve()
    unittest.main(argv=[sys.argv[0], *rest])
