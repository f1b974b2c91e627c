"""Distribution programs served by one library or another: which libraries there are, how a program is made to use one,
and what is compared. Mounts and claims are those of test/mount."""

import difflib
import os
import sys
import time

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", name) for name in ("mount", "command")]

# pylint: disable=wrong-import-position
from command import session_at
from harness import Failed, check, new_directory, same, setup
from server import END_LINE, Mount, session_pids


OWN_LOOP = "the application's own loop reads the device, the ring needs the library's"
DROPIN = os.path.join("lib", "dropin")   # where a build has libfuse3.so.3


class Library:
    """How a program finds its libfuse3.so.3: the distribution's, or ours by one of the two variables of ld.so."""

    def __init__(self, name, variable="", transport=""):
        self.name, self.variable, self.transport = name, variable, transport

    @property
    def is_ours(self):
        return bool(self.variable)

    def without_promise(self):
        """For programs with an event loop of their own: those cannot be served over the ring, whatever is there."""
        return Library(self.name, self.variable, "auto" if self.transport == "fuse_uring" else self.transport)

    def environment(self):
        if not self.is_ours:
            return {}
        folder = os.path.join(setup.build, DROPIN)
        path = os.path.join(folder, "libfuse3.so.3")
        check(os.path.exists(path), f"not built: {path}")
        return {self.variable: path if self.variable == "LD_PRELOAD" else folder, "RINGFUSE_VERBOSE": "1",
                "RINGFUSE_TRANSPORT": self.transport}


DISTRIBUTION = Library("distribution")
OURS = [Library("preload ring", "LD_PRELOAD", "fuse_uring"), Library("path dev", "LD_LIBRARY_PATH", "dev"),
        Library("path ring", "LD_LIBRARY_PATH", "fuse_uring"), Library("preload dev", "LD_PRELOAD", "dev")]


class Settings:
    """Filled from the environment, since claims take no arguments."""

    full = os.environ.get("RINGFUSE_PROGRAMS_FULL") == "1"
    # Only the distribution's library: shows that a claim itself is right.
    only_reference = os.environ.get("RINGFUSE_PROGRAMS_REFERENCE") == "1"
    table = os.environ.get("RINGFUSE_PROGRAMS_TABLE")
    rounds = int(os.environ.get("RINGFUSE_PROGRAMS_ROUNDS", "1"))   # all libraries in turn, so often


settings = Settings()


def end_line(text):
    """(transport, number of requests) of the line our library prints when a loop ends, or None."""
    found = END_LINE.findall(text)
    return (found[-1][0], int(found[-1][1]) + int(found[-1][2])) if found else None


class Program(Mount):
    """A program of the distribution and its mount. `words` contain the mountpoint as MOUNTPOINT."""

    def __init__(self, library, words, *, directory=None, env=None, code=0, ended_by=None, inside=False):
        # pylint: disable=super-init-not-called
        self.library, self.transport = library, library.transport
        self.dir = directory or new_directory(os.path.basename(words[0]))
        self.code, self.ended_by = code, ended_by
        self.inside = inside   # the program is started by `words`, which get nothing of the library themselves
        self.log_path = self.dir.rstrip("/") + ".log"
        self.words = [str(word).replace("MOUNTPOINT", self.dir) for word in words]
        self.env = dict(clean_environment(), **({} if inside else library.environment()))
        for name, value in (env or {}).items():
            # Two sources for one search path: ours first.
            old = library.environment().get(name)
            self.env[name] = f"{old}:{value}" if old else value
        self.process = None
        self.connection = None

    def uses_the_library(self):
        """The file the program has mapped is the one that was meant."""
        mapped = set()
        for pid in session_pids(self.process.pid) if self.inside else [self.process.pid]:
            with open(f"/proc/{pid}/maps", encoding="utf-8", errors="replace") as maps:
                mapped |= {line.split()[-1] for line in maps if "libfuse3.so.3" in line}
        wanted = os.path.join(setup.build, DROPIN) if self.library.is_ours else "/lib/x86_64-linux-gnu"
        return mapped, any(wanted in path for path in mapped)

    def wait_mounted(self):
        super().wait_mounted()
        mapped, fits = self.uses_the_library()
        check(fits, f"{self.library.name}: the program uses {sorted(mapped)}")

    def unmount(self):
        if self.ended_by is None:
            super().unmount()
        else:
            self.process.send_signal(self.ended_by)

    def served(self):
        """(transport, number of requests) of the end line; None where a program has a loop of its own."""
        return end_line(self.log())


def clean_environment():
    """Without what would bring another library into a program; a test runner may have set it."""
    return {name: value for name, value in os.environ.items() if name not in ("LD_LIBRARY_PATH", "LD_PRELOAD")}


def libraries():
    if settings.only_reference:
        return [DISTRIBUTION]
    return settings.rounds * [DISTRIBUTION, *(OURS if settings.full else OURS[:2])]


def same_lines(got, wanted, what):
    """The same for lists of lines; shows only the lines that differ."""
    if got != wanted:
        lines = [line for line in difflib.unified_diff(wanted, got, "wanted", "got", lineterm="", n=0)]
        raise Failed(f"{what}:\n" + "\n".join(lines[:40]))


class Outcome:
    """What one program did with one library."""

    def __init__(self, result, seconds, served):
        self.result, self.seconds, self.served = result, seconds, served


def note(name, what, library, outcome, reference):
    """One row of the table at the end."""
    transport, requests = outcome.served or (library.transport and "own loop", "")
    row = (name, what, library.name, transport or "", str(requests), f"{outcome.seconds:.3f}",
           f"{reference.seconds / outcome.seconds:.2f}" if library.is_ours else "1")
    print("  " + " | ".join(row), flush=True)
    if settings.table:
        with open(settings.table, "a", encoding="utf-8") as table:
            table.write("| " + " | ".join(row) + " |\n")


def own_loop_is_told(mount):
    """The banner, the reason without being asked, and `ringfuse status` say why the device serves."""
    reason = OWN_LOOP if mount.library.transport == "auto" else "asked for"
    check(f", transport dev ({reason})" in mount.log(), f"no {reason!r} in the banner:\n{mount.log()}")
    told = f"ringfuse: serving over /dev/fuse: {OWN_LOOP}\n" in mount.log()
    same(told, reason == OWN_LOOP, f"told why the device serves: {mount.log()}")
    session = session_at(mount.dir)
    same((session["transport"], session["reason"]), ("dev", reason), "status")


def compare(name, what, start, work, *, own_loop=False, ready=lambda mount: None):
    """Runs `work(mount)` on the mount that `start(library)` makes, first with the distribution's library, then with
    ours. Results must be equal, and ours must have served over the transport that was asked for. `ready(mount)` waits for
    what the program needs to come up; it does not count."""
    reference = None
    for library in libraries():
        mount = start(library.without_promise() if own_loop else library)
        with mount:
            ready(mount)
            begin = time.monotonic()
            result = work(mount)
            seconds = time.monotonic() - begin
            if own_loop and library.is_ours:
                own_loop_is_told(mount)
        outcome = Outcome(result, seconds, mount.served())
        if reference is None:
            reference = outcome
        else:
            (same_lines if isinstance(result, list) else same)(result, reference.result, f"{name} with {library.name}")
            if not own_loop and library.is_ours:
                check(outcome.served, f"no end line: {mount.log()[-2000:]}")
                same(outcome.served[0], library.transport, f"{name}: transport")
        note(name, what, library, outcome, reference)
