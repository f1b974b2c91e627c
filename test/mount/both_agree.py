#!/usr/bin/env python3
"""The same program, asked the same, gives the same over the ring, over the device, and on the distribution's libfuse:
results and errnos of several hundred calls, and the contents of a tree byte for byte."""

import difflib
import hashlib
import os
import re

from harness import check, claim, main, new_directory, program, run, same
from hello import TEXT
from server import Mount

# O_TMPFILE reaches a filesystem from libfuse 3.17 on; an older one answers EOPNOTSUPP, and what the probe does with the
# file is left out.
WITHOUT_TMPFILE = ['-fd = open(".", O_RDWR | O_TMPFILE, 0600) -> fd',
                   '-write(fd, "tmp", 3) -> 3',
                   '-fstat(fd, &st) -> 0',
                   '-st.st_nlink -> 0',
                   '-linkat(fd, "", AT_FDCWD, "named", AT_EMPTY_PATH) -> 0',
                   '-show named -> "tmp"',
                   '-unlink("named") -> 0',
                   '-close(fd) -> 0',
                   '+fd = open(".", O_RDWR | O_TMPFILE, 0600) -> EOPNOTSUPP']


def library_version():
    text = run(program("hello_ll_dist"), "--version")
    return tuple(map(int, re.search(r"version (\d+)\.(\d+)", text).groups()))


def source_option(name):
    return f"source={new_directory('source')}" if name.startswith("passthrough") else ""


def probe(name, transport):
    with Mount(name, source_option(name), transport=transport) as mount:
        lines = run(program("errno_probe"), mount.dir).splitlines()
    check(len(lines) > 400 and lines[-1] == "== end", f"{len(lines)} lines, last: {lines[-1]}")
    return lines


def differences(one, other):
    return [line for line in difflib.unified_diff(one, other, lineterm="", n=0)
            if line[0] in "+-" and not line.startswith(("+++", "---"))]


def expect_agreement(name):
    ring, device = probe(name, "fuse_uring"), probe(name, "dev")
    same(differences(ring, device), [], f"{name}: ring (-) and device (+)")
    known = WITHOUT_TMPFILE if name == "passthrough_ll" and library_version() < (3, 17) else []
    same(differences(device, probe(name + "_dist", "")), known, f"{name}: ours (-) and the distribution's (+)")


@claim(90)
def results_of_calls_on_memfs():
    expect_agreement("memfs_ll")


@claim(90)
def results_of_calls_on_passthrough():
    expect_agreement("passthrough_ll")


def digest(directory):
    """One line for each file: name, size, hash of the bytes as read in pieces of an odd size."""
    lines = []
    for folder, names, files in os.walk(directory):
        names.sort()
        for name in sorted(files):
            path = os.path.join(folder, name)
            shown = os.path.relpath(path, directory)
            if os.path.islink(path):
                lines.append(f"{shown} -> {os.readlink(path)}")
            elif os.path.isfile(path):
                content = hashlib.sha256()
                with open(path, "rb", buffering=0) as file:
                    while piece := file.read(30011):
                        content.update(piece)
                lines.append(f"{shown} {os.stat(path).st_size} {content.hexdigest()}")
    return lines


def written_and_read(name, transport):
    with Mount(name, source_option(name), transport=transport) as mount:
        run(program("tree_check"), "-S", 9, "-n", 400, "make", mount.dir)
        manifest = run(program("tree_check"), "-S", 9, "-n", 400, "manifest", mount.dir).splitlines()
        return manifest, digest(mount.dir)


@claim(120)
def contents_of_a_tree():
    local = new_directory()
    run(program("tree_check"), "-S", 9, "-n", 400, "make", local)
    wanted = digest(local)
    plan = run(program("tree_check"), "-S", 9, "-n", 400, "plan", local).splitlines()
    for name in ("memfs_ll", "passthrough_ll"):
        for program_name, transport in ((name, "fuse_uring"), (name, "dev"), (name + "_dist", "")):
            manifest, bytes_read = written_and_read(program_name, transport)
            same(differences(plan, manifest), [], f"{program_name} {transport}: plan (-) and manifest (+)")
            same(differences(wanted, bytes_read), [], f"{program_name} {transport}: local (-) and mounted (+)")


@claim()
def what_one_transport_wrote_the_other_reads():
    source = new_directory("source")
    for writer, reader in (("fuse_uring", "dev"), ("dev", "fuse_uring")):
        with Mount("passthrough_ll", f"source={source}", transport=writer) as mount:
            os.mkdir(mount.path(writer))
            run(program("tree_check"), "-n", 200, "make", mount.path(writer))
        with Mount("passthrough_ll", f"source={source}", transport=reader) as mount:
            run(program("tree_check"), "-n", 200, "verify", mount.path(writer))


@claim()
def both_serve_at_the_same_time():
    with Mount("hello_ll", transport="fuse_uring") as one, Mount("hello_ll", transport="dev") as other:
        for _ in range(20):
            same([run("cat", mount.path("hello")) for mount in (one, other)], [TEXT, TEXT], "texts")
    same([one.counts()[0], other.counts()[0]], ["fuse_uring", "dev"], "transports")


if __name__ == "__main__":
    main()
