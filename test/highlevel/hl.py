"""What the scripts of this folder share: claims of test/mount, on filesystems over the path-based API. Without
--transport a script runs them on the distribution's library, which shows that its claims are right."""

import errno
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "mount"))

# pylint: disable=wrong-import-position
from harness import check, setup
from server import Mount

NO_TIMEOUTS = "attr_timeout=0,entry_timeout=0,negative_timeout=0"


def is_reference():
    return setup.transport is None


def module_path():
    """Environment in which a filesystem finds the modules of the build (test/fs/hl_through.c)."""
    return {"LD_LIBRARY_PATH": os.path.join(setup.build, "test", "fs")}


def mounted(name, options="", **named):
    """The filesystem on the library that this run is about."""
    named.setdefault("env", module_path())
    return Mount(name + ("_dist" if is_reference() else ""), options, **named)


def store(path, data):
    with open(path, "wb") as file:
        file.write(data)


def load(path):
    with open(path, "rb") as file:
        return file.read()


def word_of(function, *arguments, **named):
    """What a call gave, as a word: the result, or the name of its errno."""
    try:
        return str(function(*arguments, **named))
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error.errno))


class Workers:
    """Processes that call functions over and over for some seconds. Each function is called with the number of the round
    and may fail with the errnos it is given with; anything else fails the claim."""

    def __init__(self, seconds):
        self.end = time.monotonic() + seconds
        self.pids = {}

    def start(self, function, *allowed):
        sys.stdout.flush()
        pid = os.fork()
        if pid == 0:
            self._work(function, allowed)
        self.pids[pid] = function.__name__

    def _work(self, function, allowed):
        rounds = 0
        code = 0
        while time.monotonic() < self.end and not code:
            try:
                function(rounds)
            except OSError as error:
                if error.errno not in allowed:
                    print(f"{function.__name__}: {error}", flush=True)
                    code = 1
            except BaseException as error:   # pylint: disable=broad-except
                print(f"{function.__name__}: {error!r}", flush=True)
                code = 1
            rounds += 1
        os._exit(code)

    def join(self):
        bad = []
        for pid, name in self.pids.items():
            if os.waitpid(pid, 0)[1] != 0:
                bad.append(name)
        check(not bad, f"failed: {bad}")
