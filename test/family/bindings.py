#!/usr/bin/env python3
"""A language binding with one old layout compiled in finds the library by dlopen() and plain dlsym() and shows a directory
through it; what is done there arrives."""

import errno
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", name) for name in ("mount", "command")]

# pylint: disable=wrong-import-position
from command import ringfuse_path
from harness import check, claim, fails_with, main, new_directory, program, run, same, setup
from server import Mount

LIBRARIES = os.path.join("lib", "dropin")
LAYOUTS = {"a": ("A", "size of the operations"), "b": ("B", "RINGFUSE_ABI")}


class Binding(Mount):
    """binding_X, run so that dlopen("libfuse3.so.3") brings ours in."""

    def __init__(self, layout, way, *, by_run=False):
        # pylint: disable=super-init-not-called
        self.dir, self.source = new_directory("binding"), new_directory("source")
        self.transport, self.code = setup.transport, 0
        self.log_path = self.dir + ".log"
        self.words = [os.path.join(setup.build, "test", "family", f"binding_{layout}"), way, self.source, self.dir]
        self.env = {name: value for name, value in os.environ.items() if name not in ("LD_LIBRARY_PATH", "LD_PRELOAD")}
        if by_run:
            self.words[:0] = [ringfuse_path(), "run", "--lib=libfuse3.so.3", f"--transport={setup.transport}", "--verbose", "--"]
        else:
            self.env.update(LD_LIBRARY_PATH=os.path.join(setup.build, LIBRARIES), RINGFUSE_TRANSPORT=setup.transport,
                            RINGFUSE_VERBOSE="1")
        if layout == "b":   # else the distribution's libfuse3 would decide
            self.env["RINGFUSE_ABI"] = "B"
        self.layout = LAYOUTS[layout]
        self.process = self.connection = None

    def library(self):
        with open(f"/proc/{self.process.pid}/maps", encoding="utf-8") as maps:
            return {line.split()[-1] for line in maps if "libfuse3.so.3" in line}


def work(mount):
    """Files, directories and links of all kinds, moved, cut and removed; what is below must be what was done."""
    tree, random_writes = mount.path("tree"), mount.path("files")
    os.mkdir(tree)
    run(program("tree_check"), "-X", "-n", 60, "make", tree)
    run(program("tree_check"), "-X", "-n", 60, "verify", os.path.join(mount.source, "tree"))
    os.mkdir(random_writes)
    run(program("fsx_check"), "-n", 200, "-S", 3, random_writes)
    os.rename(tree, mount.path("moved"))
    run(program("tree_check"), "-X", "-n", 60, "verify", os.path.join(mount.source, "moved"))
    with open(mount.path("file"), "wb") as file:
        file.write(b"x" * 300000)
        file.truncate(1000)
    same(os.stat(os.path.join(mount.source, "file")).st_size, 1000, "size below")
    fails_with(errno.EEXIST, os.mkdir, mount.path("file"))
    fails_with(errno.ENOTEMPTY, os.rmdir, mount.path("moved"))
    shutil.rmtree(mount.path("moved"))
    same(sorted(os.listdir(mount.source)), ["file", "files"], "what is left below")


def meet(mount):
    """Two look-ups of which none is answered before the other has arrived."""
    clients = [subprocess.Popen(["stat", mount.path(f".meet-{name}")], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                text=True) for name in ("a", "b")]
    said = [client.communicate(timeout=60 * setup.patience)[1] for client in clients]
    check(all(os.strerror(errno.ENOENT) in text for text in said), f"one thread serves: {said}")


def served(layout, way, **how):
    with Binding(layout, way, **how) as mount:
        mapped = mount.library()
        same([os.path.dirname(path) for path in mapped], [os.path.join(setup.build, LIBRARIES)], f"libraries {mapped}")
        work(mount)
        if way != "loop":
            meet(mount)
    same(mount.counts()[0], setup.transport, "transport")
    wanted = "layout {} ({})".format(*mount.layout)
    check(wanted in mount.log(), f"no {wanted!r} in the log:\n{mount.log()}")


@claim(120)
def all_in_one_call():
    for layout in LAYOUTS:
        served(layout, "main")


@claim(120)
def created_mounted_and_served_by_one_thread():
    for layout in LAYOUTS:
        served(layout, "loop")


@claim(120)
def created_mounted_and_served_by_threads():
    for layout in LAYOUTS:
        served(layout, "loop_mt")


@claim()
def put_in_by_ringfuse_run():
    served("a", "main", by_run=True)


if __name__ == "__main__":
    main()
