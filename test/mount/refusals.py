#!/usr/bin/env python3
"""Bad command lines: a message that names the mistake, an exit code that is not 0, nothing mounted."""

import os

from harness import check, claim, main, new_directory, same
from server import Mount, refused


def complains(printed, *words):
    for word in words:
        check(word in printed, f"{word!r} is not in:\n{printed}")


def new_file():
    path = os.path.join(new_directory(), "file")
    os.mknod(path)
    return path


@claim()
def an_unknown_option():
    complains(refused("hello_ll", "no_such_thing=7", code=1), "unknown option", "no_such_thing=7")
    complains(refused("hello_ll", args=("-f", "--no-such-flag"), code=1), "unknown option", "--no-such-flag")


@claim()
def an_unknown_transport():
    complains(refused("hello_ll", transport="carrier_pigeon", code=1), "transport unknown", "carrier_pigeon",
              "fuse_uring", "dev")
    wrapper = ["env", "RINGFUSE_TRANSPORT=carrier_pigeon"]
    complains(refused("hello_ll", wrapper=wrapper, code=1), "transport unknown", "RINGFUSE_TRANSPORT=carrier_pigeon")


@claim()
def a_ring_depth_that_cannot_be():
    for depth in ("0", "65536", "4294967295"):
        complains(refused("hello_ll", f"io_uring_q_depth={depth}", code=1), "depth refused", depth)
    complains(refused("hello_ll", "io_uring_q_depth=many", code=1), "io_uring_q_depth=many")
    complains(refused("hello_ll", wrapper=["env", "FUSE_URING_QUEUE_DEPTH=x"], code=1), "FUSE_URING_QUEUE_DEPTH=x")


@claim()
def a_number_that_is_none():
    complains(refused("hello_ll", "max_read=some", code=1), "max_read=some")
    complains(refused("hello_ll", "max_threads=some", code=1), "max_threads=some")


@claim()
def no_mount_point():
    complains(refused("hello_ll", directory="-f", code=1), "mountpoint")


@claim()
def a_mount_point_that_does_not_exist():
    missing = os.path.join(new_directory(), "missing")
    for transport in ("fuse_uring", "dev"):
        complains(refused("hello_ll", transport=transport, directory=missing, code=1), missing, "ENOENT")


@claim()
def a_path_through_a_file():
    for transport in ("fuse_uring", "dev"):
        complains(refused("hello_ll", transport=transport, directory=os.path.join(new_file(), "sub"), code=1), "ENOTDIR")


# The kernel mounts on files as well, and libfuse lets it. A root that is a directory then cannot be looked at.
@claim()
def a_mount_point_that_is_a_file_is_taken_as_libfuse_takes_it():
    seen = []
    for name in ("hello_ll", "hello_ll_dist"):
        mount = Mount(name, transport="")
        os.rmdir(mount.dir)
        os.mknod(mount.dir)
        with mount:
            try:
                seen.append(os.stat(mount.dir).st_mode)
            except OSError as error:
                seen.append(os.strerror(error.errno))
    same(seen[0], seen[1], "stat of the mounted file, compared with the distribution's libfuse")


@claim()
def two_mount_points():
    first = new_directory()
    complains(refused("hello_ll", args=("-f", first), code=1), "second mountpoint")


if __name__ == "__main__":
    main()
