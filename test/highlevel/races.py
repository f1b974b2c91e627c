#!/usr/bin/env python3
"""Many callers at once: a path that is handed to the filesystem stays right while it is used, and nothing gets stuck."""

import ctypes
import errno
import os
import random

from hl import NO_TIMEOUTS, Workers, load, mounted, store
from harness import check, claim, main, same, setup

LIBC = ctypes.CDLL(None, use_errno=True)
AT_FDCWD, RENAME_EXCHANGE = -100, 2


def seconds():
    return max(1, setup.seconds / 8)


def exchange_names(one, other):
    if LIBC.renameat2(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), RENAME_EXCHANGE) != 0:
        raise OSError(ctypes.get_errno(), "renameat2")


@claim(90)
def renames_in_both_directions_end():
    with mounted("hl_memfs", NO_TIMEOUTS) as mount:
        for name in ("a", "b", "a/x", "b/y"):
            os.makedirs(mount.path(name))
        store(mount.path("a/x/file"), b"x")
        store(mount.path("b/y/file"), b"y")
        workers = Workers(seconds())

        def forth(i):
            os.rename(mount.path("a/x"), mount.path("b/x")) if i % 2 == 0 else \
                os.rename(mount.path("b/x"), mount.path("a/x"))

        def back(i):
            os.rename(mount.path("b/y"), mount.path("a/y")) if i % 2 == 0 else \
                os.rename(mount.path("a/y"), mount.path("b/y"))

        def look(i):
            path = ("a/x/file", "b/x/file", "a/y/file", "b/y/file")[i % 4]
            data = load(mount.path(path))
            check(data == path[2].encode(), f"{path} holds {data!r}")
        workers.start(forth)
        workers.start(back)
        for _ in range(3):
            workers.start(look, errno.ENOENT)
        workers.join()
        found = sorted(name for folder, names, _ in os.walk(mount.dir) for name in names)
        same(found, ["a", "b", "x", "y"], "directories at the end")


@claim(90)
def two_directories_change_places():
    with mounted("hl_memfs", NO_TIMEOUTS) as mount:
        for name in ("one/deep/er", "two/deep/er"):
            os.makedirs(mount.path(name))
            store(mount.path(name, "file"), name[:3].encode())
        workers = Workers(seconds())

        def exchange(i):
            if i % 2:
                return exchange_names(mount.path("one"), mount.path("two"))
            os.rename(mount.path("one"), mount.path(f"gone{i}"))
            os.rename(mount.path("two"), mount.path("one"))
            return os.rename(mount.path(f"gone{i}"), mount.path("two"))

        def look(i):
            check(load(mount.path(("one", "two")[i % 2], "deep", "er", "file")) in (b"one", b"two"), "contents")

        def make_and_remove(i):
            folder = mount.path(("one", "two")[i % 2], "deep")
            name = os.path.join(folder, f"made-{os.getpid()}-{i}")
            store(name, b"made")
            os.unlink(name)
        workers.start(exchange)
        workers.start(look, errno.ENOENT)
        workers.start(look, errno.ENOENT)
        workers.start(make_and_remove, errno.ENOENT)
        workers.join()
        same(sorted(load(mount.path(name, "deep", "er", "file")) for name in ("one", "two")), [b"one", b"two"], "at the end")


@claim(90)
def open_files_outlive_their_names():
    for options in ("", ",hard_remove,nullpath_ok"):
        with mounted("hl_memfs", NO_TIMEOUTS + options) as mount:
            workers = Workers(seconds() / 2)

            def open_unlink_use(i):
                data = f"{os.getpid()}-{i}".encode() * 50
                path = mount.path(f"file-{i % 5}")
                fd = os.open(path, os.O_CREAT | os.O_RDWR | os.O_EXCL, 0o600)
                try:
                    os.write(fd, data)
                    os.unlink(path)
                    check(os.pread(fd, len(data) + 1, 0) == data, "data of a file without its name")
                finally:
                    os.close(fd)

            def list_all(_):
                os.listdir(mount.dir)
            for _ in range(3):
                workers.start(open_unlink_use, errno.EEXIST, errno.ENOENT)
            workers.start(list_all)
            workers.join()
            for name in os.listdir(mount.dir):
                check(not name.startswith(".fuse_hidden"), f"left: {name}")


@claim(90)
def directories_are_removed_beside_open_handles():
    with mounted("hl_memfs", NO_TIMEOUTS) as mount:
        workers = Workers(seconds() / 2)

        def make_and_remove(i):
            folder = mount.path(f"dir-{i % 3}")
            os.mkdir(folder)
            store(os.path.join(folder, "file"), b"x")
            os.unlink(os.path.join(folder, "file"))
            os.rmdir(folder)

        def hold(i):
            fd = os.open(mount.path(f"dir-{i % 3}"), os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.listdir(fd)
                os.stat("file", dir_fd=fd)
            finally:
                os.close(fd)
        workers.start(make_and_remove, errno.EEXIST, errno.ENOENT, errno.ENOTEMPTY)
        workers.start(make_and_remove, errno.EEXIST, errno.ENOENT, errno.ENOTEMPTY)
        workers.start(hold, errno.ENOENT, errno.ESTALE)
        workers.start(hold, errno.ENOENT, errno.ESTALE)
        workers.join()


@claim(90)
def forgets_race_with_lookups():
    with mounted("hl_memfs", "use_ino,entry_timeout=0.001,attr_timeout=0.001") as mount:
        for i in range(60):
            os.makedirs(mount.path(f"{i % 5}", f"{i % 3}"), exist_ok=True)
            store(mount.path(f"{i % 5}", f"{i % 3}", f"{i}"), str(i).encode())
        workers = Workers(seconds())

        def look(_):
            i = random.randrange(60)
            same(load(mount.path(f"{i % 5}", f"{i % 3}", f"{i}")), str(i).encode(), "contents")

        def forget(_):
            with open("/proc/sys/vm/drop_caches", "w", encoding="ascii") as file:
                file.write("2")
        for _ in range(3):
            workers.start(look)
        workers.start(forget)
        workers.join()


if __name__ == "__main__":
    main()
