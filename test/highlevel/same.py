#!/usr/bin/env python3
"""Random calls, the same on a filesystem over the path-based API and on tmpfs: results, errnos, bytes and attributes are
equal. The seed is printed; RINGFUSE_TEST_SEED=N repeats a run."""

import contextlib
import os
import time

from hl import NO_TIMEOUTS, is_reference, mounted
from harness import claim, main, new_directory, program, run, setup

SEED = int(os.environ.get("RINGFUSE_TEST_SEED", time.time_ns() % 1000000))


@contextlib.contextmanager
def tmpfs():
    directory = new_directory("tmpfs")
    run("mount", "-t", "tmpfs", "tmpfs", directory)
    try:
        yield directory
    finally:
        run("umount", "-l", directory)


def expect_the_same(name, options, *words):
    calls = 250 * setup.seconds // (1 if setup.patience == 1 else 2)
    with tmpfs() as reference, mounted(name, f"{NO_TIMEOUTS},{options}") as mount:
        printed = run(program("same_ops"), "-S", SEED, "-n", calls, "-p", 2, *words, reference, mount.dir)
    print(f"  {name} {options}: {printed.splitlines()[-1]}", flush=True)


@claim(120)
def a_memory_filesystem_and_tmpfs_do_the_same():
    expect_the_same("hl_memfs", "use_ino")


@claim(120)
def without_hidden_names():
    expect_the_same("hl_memfs", "hard_remove,nullpath_ok", "-c")


@claim(120)
def without_the_page_cache_and_without_offsets():
    expect_the_same("hl_memfs", "plain_io,no_offsets,direct_io")


@claim(120)
def a_passthrough_of_tmpfs_does_the_same():
    with tmpfs() as below:
        expect_the_same("hl_passthrough", f"source={below}")


@claim(120)
def through_the_module_subdir_too():
    if is_reference():
        return   # libfuse 3.14's module knows neither fallocate nor copy_file_range
    with tmpfs() as below:
        os.makedirs(os.path.join(below, "a", "part"))
        expect_the_same("hl_passthrough", f"source={below},modules=subdir,subdir=/a/part,plain_io")


if __name__ == "__main__":
    main()
