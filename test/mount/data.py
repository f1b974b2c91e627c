#!/usr/bin/env python3
"""What real programs do to a filesystem, over memfs (its own data) and passthrough (the data of a directory): nothing is
lost, mixed up or refused. Each claim runs over both at the same time."""

import os
import random
import shutil
import subprocess
import sys
import threading

from harness import Failed, check, claim, main, new_directory, program, run, same, setup
from server import Mount

FILESYSTEMS = ("memfs_ll", "passthrough_ll")


def on(name, work, options=""):
    source = new_directory("source")
    extra = f"source={source}" if name == "passthrough_ll" else ""
    with Mount(name, ",".join(filter(None, (options, extra)))) as mount:
        work(mount.dir)
    same(mount.counts()[0], setup.transport, "transport")
    shutil.rmtree(source)


def on_both(work, options=""):
    """Runs work(directory) on a mount of each filesystem."""
    failures = []

    def guarded(name):
        try:
            on(name, work, options)
        except Exception as error:   # reported by the claim's own thread
            failures.append(f"{name}: {type(error).__name__}: {error}")
    threads = [threading.Thread(target=guarded, args=(name,)) for name in FILESYSTEMS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise Failed("\n".join(failures))


@claim(150)
def random_file_operations_match_their_model():
    on_both(lambda directory: run(program("fsx_check"), "-t", setup.seconds, "-p", 3, directory,
                                  seconds=setup.seconds + 60))


@claim(90)
def random_file_operations_match_with_the_write_back_cache():
    on_both(lambda directory: run(program("fsx_check"), "-t", max(2, setup.seconds // 4), "-p", 2, "-w", directory),
            options="writeback")


@claim(90)
def random_file_operations_match_without_the_page_cache():
    on_both(lambda directory: run(program("fsx_check"), "-t", max(2, setup.seconds // 4), "-p", 2, directory),
            options="direct_io")


@claim()
def a_tree_reads_back_as_it_was_written():
    def work(directory):
        for seed in (1, 2):
            tree = os.path.join(directory, f"tree{seed}")
            os.mkdir(tree)
            run(program("tree_check"), "-S", seed, "-n", 500, "make", tree)
        run(program("tree_check"), "-S", 1, "-n", 500, "verify", os.path.join(directory, "tree1"))
        os.truncate(os.path.join(directory, find_file(os.path.join(directory, "tree2"))), 1)
        run(program("tree_check"), "-S", 2, "-n", 500, "verify", os.path.join(directory, "tree2"), wanted=1)
    on_both(work)


def find_file(root):
    """A regular file with some bytes below `root`."""
    for folder, _, names in os.walk(root):
        for name in sorted(names):
            path = os.path.join(folder, name)
            if not os.path.islink(path) and os.path.isfile(path) and os.stat(path).st_size > 1:
                return path
    raise Failed(f"no file below {root}")


@claim()
def a_tree_outlives_the_mount():
    source = new_directory("source")
    with Mount("passthrough_ll", f"source={source}") as mount:
        run(program("tree_check"), "-n", 500, "make", mount.dir)
    run(program("tree_check"), "-n", 500, "verify", source)
    with Mount("passthrough_ll", f"source={source}") as mount:
        run(program("tree_check"), "-n", 500, "verify", mount.dir)


PARTS = 12
MAKEFILE = f"""
objects = main.o {' '.join(f'part{i}.o' for i in range(PARTS))}
sums: $(objects)
\tgcc -o $@ $(objects)
%.o: %.c parts.h
\tgcc -O1 -c -o $@ $<
"""


def write_project(directory):
    """A C program whose output depends on each of its files."""
    os.mkdir(directory)
    files = {"Makefile": MAKEFILE, "parts.h": "".join(f"int part{i}(int);\n" for i in range(PARTS))}
    for i in range(PARTS):
        files[f"part{i}.c"] = f'#include "parts.h"\nint part{i}(int x) {{ return 3 * x + {i}; }}\n'
    calls = " ".join(f"x = part{i}(x) % 100003;" for i in range(PARTS))
    files["main.c"] = ('#include <stdio.h>\n#include "parts.h"\n'
                       f'int main(void) {{ int x = 7; {calls} printf("%d\\n", x); return 0; }}\n')
    for name, text in files.items():
        with open(os.path.join(directory, name), "w", encoding="ascii") as file:
            file.write(text)
    x = 7
    for i in range(PARTS):
        x = (3 * x + i) % 100003
    return x


@claim(90)
def a_project_is_unpacked_and_compiled():
    project = os.path.join(new_directory(), "project")
    wanted = write_project(project)
    archive = project + ".tar"
    run("tar", "-C", os.path.dirname(project), "-cf", archive, "project")

    def work(directory):
        run("tar", "-C", directory, "-xpf", archive)
        run("diff", "-r", project, f"{directory}/project")
        run("make", "-s", "-j2", "-C", f"{directory}/project")
        same(int(run(f"{directory}/project/sums")), wanted, "what the program prints")
        same(run("make", "-C", f"{directory}/project", "sums").count("up to date"), 1, "make once more")
        run("tar", "-C", directory, "-cf", f"{directory}/again.tar", "project")
        run("tar", "-C", directory, "-df", f"{directory}/again.tar")
    on_both(work)


@claim(90)
def git_keeps_a_repository():
    def git(directory, *words):
        return run("git", "-c", "user.name=t", "-c", "user.email=t@localhost", "-c", "safe.directory=*", "-C", directory,
                   *words)

    def work(directory):
        repository = os.path.join(directory, "repository")
        git(directory, "init", "-q", repository)
        for version in range(3):
            for i in range(40):
                with open(os.path.join(repository, f"file{i}"), "w", encoding="ascii") as file:
                    file.write(f"{version} {i}\n" * (10 + i))
            git(repository, "add", ".")
            git(repository, "commit", "-qm", f"version {version}")
        git(directory, "clone", "-q", "--no-hardlinks", repository, "clone")
        git(directory, "clone", "-q", "--local", repository, "linked")
        for copy in ("repository", "clone", "linked"):
            git(os.path.join(directory, copy), "fsck", "--full", "--strict")
            same(git(os.path.join(directory, copy), "status", "--porcelain"), "", f"status of {copy}")
        git(repository, "gc", "-q")
        git(repository, "fsck", "--full")
        same(git(repository, "rev-parse", "HEAD"), git(os.path.join(directory, "clone"), "rev-parse", "HEAD"), "head")
    on_both(work)


def fio(directory, *words):
    run("fio", "--name=v", f"--directory={directory}", "--size=4m", "--numjobs=2", "--verify=crc32c", "--verify_fatal=1",
        "--randrepeat=0", "--group_reporting", "--minimal", *words, cwd=setup.work)


@claim(90)
def fio_finds_its_checksums():
    def work(directory):
        for block in ("4k", "128k"):
            fio(directory, "--rw=randwrite", f"--bs={block}", "--ioengine=psync", "--direct=0", "--fsync_on_close=1")
            fio(directory, "--rw=randrw", f"--bs={block}", "--ioengine=libaio", "--iodepth=8", "--direct=1")
        fio(directory, "--rw=randwrite", "--bs=4k", "--ioengine=mmap")
    on_both(work)


STORM_NAMES = 12
STORM_CLIENTS = 6
# Renames, unlinks, creates and links among few names in two directories, all clients at once. The "token" files move
# but are never removed. Only the errors of a lost race may show.
STORM_SOURCE = f"""
import errno, os, random, sys, time
root, number, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
rng = random.Random(number)
end = time.monotonic() + seconds
token = os.path.join(root, "a", "token%d" % number)
with open(token, "w") as file:
    file.write(str(number) * 1000)
def name():
    return os.path.join(root, rng.choice("ab"), "n%d" % rng.randrange({STORM_NAMES}))
def create():
    os.close(os.open(name(), os.O_CREAT | os.O_WRONLY, 0o644))
def steal():
    with open(name(), "rb") as file:
        file.read()
steps = [create, create, steal, lambda: os.rename(name(), name()), lambda: os.unlink(name()),
         lambda: os.link(name(), name()), lambda: os.stat(name()), lambda: os.listdir(os.path.join(root, "b"))]
while time.monotonic() < end:
    try:
        rng.choice(steps)()
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.EEXIST):
            raise
    moved = os.path.join(root, rng.choice("ab"), "token%d" % number)
    os.rename(token, moved)
    token = moved
"""


@claim(90)
def a_storm_of_renames_and_unlinks_loses_nothing():
    def work(directory):
        os.mkdir(os.path.join(directory, "a"))
        os.mkdir(os.path.join(directory, "b"))
        seconds = max(2, setup.seconds // 5)
        clients = [subprocess.Popen([sys.executable, "-S", "-c", STORM_SOURCE, directory, str(i), str(seconds)],
                                    stderr=subprocess.PIPE, text=True) for i in range(STORM_CLIENTS)]
        for client in clients:
            _, errors = client.communicate(timeout=(seconds + 40) * setup.patience)
            same((client.returncode, errors), (0, ""), "a client of the storm")
        listed = [(folder, name) for folder in "ab" for name in os.listdir(os.path.join(directory, folder))]
        for i in range(STORM_CLIENTS):
            places = [folder for folder, name in listed if name == f"token{i}"]
            same(len(places), 1, f"places of token {i}")
            with open(os.path.join(directory, places[0], f"token{i}"), encoding="ascii") as file:
                same(file.read(), str(i) * 1000, "text of a token")
        for folder, name in listed:
            os.unlink(os.path.join(directory, folder, name))
        os.rmdir(os.path.join(directory, "a"))
        os.rmdir(os.path.join(directory, "b"))
    on_both(work)


@claim()
def large_writes_and_odd_reads_give_the_same_bytes():
    rng = random.Random(5)
    data = rng.randbytes(5 * 1024 * 1024 + 77)

    def work(directory):
        path = os.path.join(directory, "large")
        with open(path, "wb", buffering=0) as file:
            check(file.write(data) == len(data), "short write")
        with open(path, "rb", buffering=0) as file:
            at = 0
            while piece := os.pread(file.fileno(), 100003, at):
                check(piece == data[at:at + len(piece)], f"bytes from {at} on")
                at += len(piece)
            same(at, len(data), "size")
    for options in ("", "direct_io", "plain_write"):
        on_both(work, options)


if __name__ == "__main__":
    main()
