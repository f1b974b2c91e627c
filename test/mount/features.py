#!/usr/bin/env python3
"""What the newer parts of the protocol offer, over passthrough: backing files, files without a name, the write-back
cache, extended attributes, copies inside the filesystem, locks, big requests."""

import errno
import fcntl
import mmap
import os
import random
import re
import subprocess
import sys

from harness import Changed, check, claim, fails_with, main, new_directory, run, same, setup, wait_until
from server import Mount

MIB = 1 << 20


def random_bytes(size, seed=3):
    return random.Random(seed).randbytes(size)


def store(path, data):
    with open(path, "wb") as file:
        file.write(data)


def load(path):
    with open(path, "rb") as file:
        return file.read()


def asked(mount, operation):
    """How many requests of this kind the debug output (-d) of the server shows."""
    return len(re.findall(rf"^request: .* op={operation} \(", mount.log(), re.MULTILINE))


def read_in_pieces(path, data, piece=4096):
    fd = os.open(path, os.O_RDONLY)
    for at in range(0, len(data), piece):
        check(os.pread(fd, piece, at) == data[at:at + piece], f"bytes from {at} on")
    os.close(fd)


@claim()
def backing_files_are_read_and_written_without_the_server():
    data = random_bytes(2 * MIB)
    seen = {}
    for options in ("passthrough", "direct_io"):
        source = new_directory("source")
        store(os.path.join(source, "file"), data)
        with Mount("passthrough_ll", f"source={source},{options}", args=("-d",)) as mount:
            read_in_pieces(mount.path("file"), data)
            fd = os.open(mount.path("file"), os.O_RDWR)
            for i in range(200):
                os.pwrite(fd, b"%6d" % i, i * 6)
            os.close(fd)
            text = b"".join(b"%6d" % i for i in range(200))
            same(load(os.path.join(source, "file"))[:1300], text + data[1200:1300], "beginning of the file below")
            same(load(mount.path("file"))[:1300], text + data[1200:1300], "beginning through the mount")
        check("no backing file" not in mount.log(), f"log:\n{mount.log()}")
        seen[options] = asked(mount, "READ"), asked(mount, "WRITE")
    check(seen["direct_io"][0] >= len(data) // 4096 and seen["direct_io"][1] == 200, f"the counter is wrong: {seen}")
    same(seen["passthrough"], (0, 0), "reads and writes that reached the server")


@claim()
def a_backing_file_shared_by_many_opens():
    data = random_bytes(300000)
    source = new_directory("source")
    store(os.path.join(source, "file"), data)
    with Mount("passthrough_ll", f"source={source},passthrough") as mount:
        for _ in range(3):
            opened = [os.open(mount.path("file"), os.O_RDWR) for _ in range(30)]
            for fd in opened:
                check(os.pread(fd, len(data), 0) == data, "data of a shared backing file")
            for fd in opened:
                os.close(fd)
        for _ in range(50):
            same(len(load(mount.path("file"))), len(data), "size")
        # The one of the file's inode and one of a RELEASE that is still under way.
        wait_until(lambda: mount.open_files_below(source) <= 2, "no more than 2 descriptors of the files below")


def give_name(fd, path):
    # With a directory Python calls linkat(2), which can follow the link in /proc; for an absolute path it is not used.
    os.link(f"/proc/self/fd/{fd}", path, src_dir_fd=fd, follow_symlinks=True)


@claim()
def a_file_without_a_name_can_get_one():
    source = new_directory("source")
    with Mount("passthrough_ll", f"source={source}") as mount:
        fd = os.open(mount.dir, os.O_TMPFILE | os.O_RDWR, 0o640)
        os.write(fd, b"no name yet")
        same(os.fstat(fd).st_nlink, 0, "links of the nameless file")
        same(os.listdir(mount.dir), [], "names")
        give_name(fd, mount.path("named"))
        same(os.fstat(fd).st_nlink, 1, "links with a name")
        os.close(fd)
        same(load(mount.path("named")), b"no name yet", "content")
        same(os.stat(mount.path("named")).st_mode & 0o777, 0o640, "mode")
        same(load(os.path.join(source, "named")), b"no name yet", "content below")
        fd = os.open(mount.dir, os.O_TMPFILE | os.O_WRONLY | os.O_EXCL, 0o600)
        fails_with(errno.ENOENT, give_name, fd, mount.path("never"))
        os.close(fd)


@claim()
def the_write_back_cache_gathers_small_writes():
    seen = {}
    wanted = b"".join(b"%5d\n" % i for i in range(4000))
    for options in ("writeback", "cache=auto"):
        source = new_directory("source")
        with Mount("passthrough_ll", f"source={source},{options}", args=("-d",)) as mount:
            fd = os.open(mount.path("file"), os.O_CREAT | os.O_WRONLY, 0o644)
            for i in range(4000):
                os.write(fd, b"%5d\n" % i)
            os.fsync(fd)
            same(load(os.path.join(source, "file")), wanted, "the file below after fsync")
            os.close(fd)
            same(load(mount.path("file")), wanted, "the file through the mount")
            same(os.stat(mount.path("file")).st_size, len(wanted), "size")
        seen[options] = asked(mount, "WRITE")
    check(seen["cache=auto"] >= 4000, f"the counter is wrong: {seen}")
    check(1 <= seen["writeback"] < 100, f"the writes were not gathered: {seen}")


@claim()
def the_write_back_cache_is_written_before_the_end():
    source = new_directory("source")
    data = random_bytes(3 * MIB)
    with Mount("passthrough_ll", f"source={source},writeback") as mount:
        store(mount.path("file"), data)   # no fsync
    check(load(os.path.join(source, "file")) == data, "the file below after the unmount")


@claim()
def extended_attributes_of_every_size():
    source = new_directory("source")
    values = {"user.empty": b"", "user.small": b"\0\xff value", "user.block": random_bytes(1500)}
    with Mount("passthrough_ll", f"source={source}") as mount:
        path = mount.path("file")
        store(path, b"")
        for name, value in values.items():
            os.setxattr(path, name, value, os.XATTR_CREATE)
        for name, value in values.items():
            same(os.getxattr(path, name), value, name)
            same(os.getxattr(os.path.join(source, "file"), name), value, f"{name} below")
        same(sorted(os.listxattr(path)), sorted(values), "list")
        fails_with(errno.EEXIST, os.setxattr, path, "user.small", b"", os.XATTR_CREATE)
        fails_with(errno.ENODATA, os.setxattr, path, "user.none", b"", os.XATTR_REPLACE)
        fails_with(errno.ENODATA, os.getxattr, path, "user.none")
        fails_with(errno.EOPNOTSUPP, os.setxattr, path, "no_such_class.x", b"")
        os.removexattr(path, "user.small")
        fails_with(errno.ENODATA, os.removexattr, path, "user.small")
        same(sorted(os.listxattr(path)), ["user.block", "user.empty"], "list at the end")
    with Mount("memfs_ll") as mount:
        store(mount.path("file"), b"")
        largest = random_bytes(65536)
        os.setxattr(mount.path("file"), "user.largest", largest)
        check(os.getxattr(mount.path("file"), "user.largest") == largest, "value of 64 KiB")


@claim()
def copies_within_the_filesystem():
    data = random_bytes(3 * MIB + 5)
    source = new_directory("source")
    with Mount("passthrough_ll", f"source={source}") as mount:
        store(mount.path("from"), data)
        one, two = os.open(mount.path("from"), os.O_RDONLY), os.open(mount.path("to"), os.O_CREAT | os.O_RDWR, 0o600)
        copied = 0
        while n := os.copy_file_range(one, two, MIB + 1, copied, copied):
            copied += n
        same(copied, len(data), "bytes copied")
        check(load(mount.path("to")) == data, "the copy")
        same(os.copy_file_range(one, two, 100, 10, len(data)), 100, "a piece at the end")
        check(load(mount.path("to")) == data + data[10:110], "the copy with the piece")
        os.close(one)
        os.close(two)
    check(load(os.path.join(source, "to")) == data + data[10:110], "the copy below")


@claim()
def a_lock_waits_for_the_one_who_has_it():
    waiter = "import fcntl, sys; f = open(sys.argv[1], 'r+'); fcntl.lockf(f, fcntl.LOCK_EX); print('got it')"
    with Mount("memfs_ll") as mount:
        store(mount.path("file"), b"x")
        with open(mount.path("file"), "r+b") as file:
            fcntl.lockf(file, fcntl.LOCK_EX)
            with subprocess.Popen([sys.executable, "-S", "-c", waiter, mount.path("file")], stdout=subprocess.PIPE,
                                  text=True) as client:
                try:
                    client.wait(0.7)
                    raise AssertionError("the lock was given to two")
                except subprocess.TimeoutExpired:
                    pass
                os.stat(mount.dir)   # somebody who waits keeps nobody else waiting
                fcntl.lockf(file, fcntl.LOCK_UN)
                same(client.communicate(timeout=15 * setup.patience)[0], "got it\n", "the one who waited")


@claim()
def one_who_waits_can_be_interrupted():
    with Mount("memfs_ll") as mount:
        store(mount.path("file"), b"x")
        with open(mount.path("file"), "r+b") as file:
            fcntl.lockf(file, fcntl.LOCK_EX)
            waiter = "import fcntl, sys; f = open(sys.argv[1], 'r+'); print('go', flush=True); fcntl.lockf(f, fcntl.LOCK_EX)"
            with subprocess.Popen([sys.executable, "-S", "-c", waiter, mount.path("file")], stdout=subprocess.PIPE,
                                  text=True) as client:
                same(client.stdout.readline(), "go\n", "client")
                with open(f"/proc/{client.pid}/stat", encoding="ascii") as stat:
                    wait_until(lambda: stat.seek(0) == 0 and stat.read().rpartition(") ")[2][0] in "SD", "it waits")
                client.terminate()
                same(client.wait(15 * setup.patience), -15, "how the client ended")


@claim()
def a_request_of_sixteen_megabytes_is_one_request():
    data = random_bytes(16 * MIB)
    with Changed("/proc/sys/fs/fuse/max_pages_limit", "4096"), mmap.mmap(-1, len(data)) as page, \
            Mount("memfs_ll", f"direct_io,max_write={len(data)}", args=("-d",)) as mount:
        page[:] = data
        fd = os.open(mount.path("file"), os.O_RDWR | os.O_CREAT, 0o600)
        same(os.pwrite(fd, page, 0), len(data), "bytes written")
        page[:] = bytes(len(data))
        same(os.preadv(fd, [page], 0), len(data), "bytes read")
        check(page[:] == data, "the data read")
        os.close(fd)
        same((asked(mount, "WRITE"), asked(mount, "READ")), (1, 1), "requests")


@claim()
def big_directories_are_listed_completely():
    names = sorted(f"entry-{i:05}-{'x' * (i % 60)}" for i in range(3000))
    for options in ("", "no_readdirplus"):
        with Mount("memfs_ll", options) as mount:
            for name in names:
                os.mknod(mount.path(name))
            same(sorted(os.listdir(mount.dir)), names, "names")
            same(int(run("sh", "-c", f"ls -lU {mount.dir} | wc -l")), len(names) + 1, "lines of ls -l")
            for name in names[::2]:
                os.unlink(mount.path(name))
            same(sorted(os.listdir(mount.dir)), names[1::2], "names left")


if __name__ == "__main__":
    main()
