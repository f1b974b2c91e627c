#!/usr/bin/env python3
"""The same program, asked the same, gives the same on our library and on the distribution's: several hundred calls, the
same again with each operation of the filesystem left out, and what fuse_main() returns."""

import errno
import fcntl
import os
import subprocess
import time

from hl import NO_TIMEOUTS, load, module_path, store, word_of
from harness import check, claim, main, new_directory, program, run, same, setup, wait_until
from server import Mount, find_mount

LEFT_OUT = ("readlink", "mknod", "mkdir", "unlink", "rmdir", "symlink", "rename", "link", "chmod", "chown", "truncate",
            "open", "read:read_buf", "read_buf", "write:write_buf", "write_buf", "statfs", "flush", "release", "fsync",
            "setxattr", "getxattr", "listxattr", "removexattr", "opendir:releasedir", "readdir", "fsyncdir", "create",
            "create:mknod", "lock", "utimens", "ioctl", "poll", "flock", "fallocate", "copy_file_range", "lseek",
            "open:release:create:flush", "flock:lock")
LOOP_FAILED = 8   # what fuse_main() returns when its loop ended with an error


def probe(name, options, transport):
    with Mount(name, options, transport=transport, env=module_path()) as mount:
        lines = run(program("errno_probe"), mount.dir).splitlines()
    check(len(lines) > 350 and lines[-1] == "== end", f"{len(lines)} lines, last: {lines[-1]}")
    return lines


def differences(one, other):
    import difflib
    return [line for line in difflib.unified_diff(one, other, lineterm="", n=0)
            if line[0] in "+-" and not line.startswith(("+++", "---"))]


@claim(90)
def results_of_calls():
    for name, options in (("hl_memfs", "use_ino"), ("hl_memfs", "hard_remove,nullpath_ok,plain_io"),
                          ("hl_passthrough", "")):
        def source():
            return f",source={new_directory('source')}" if name == "hl_passthrough" else ""
        both = f"{NO_TIMEOUTS},{options}".strip(",")
        ring, device = (probe(name, both + source(), transport) for transport in ("fuse_uring", "dev"))
        same(differences(ring, device), [], f"{name} {options}: ring (-) and device (+)")
        stacked = probe(name, f"{both}{source()},modules=through", "fuse_uring")
        same(differences(stacked, ring), [], f"{name} {options}: below a module that hands everything on (-) and without it (+)")
        wanted = probe(name + "_dist", both + source(), "")
        # O_TMPFILE reaches a filesystem from libfuse 3.17 on; an older library answers otherwise.
        same([line for line in differences(device, wanted) if "TMPFILE" not in line], [],
             f"{name} {options}: ours (-) and the distribution's (+)")


def battery(mount):
    """A few dozen calls; each gives a line."""
    at = mount.path
    lines = []

    def note(what, function, *arguments, **named):
        lines.append(f"{what}: {word_of(function, *arguments, **named)}")

    def open_file(flags, mode=0o640):
        fd = os.open(at("file"), flags, mode)
        os.close(fd)
    note("create", open_file, os.O_CREAT | os.O_RDWR | os.O_EXCL)
    note("create again", open_file, os.O_CREAT | os.O_RDWR)
    note("mknod", os.mknod, at("node"), 0o100600)
    note("fifo", os.mkfifo, at("fifo"))
    note("mkdir", os.mkdir, at("dir"))
    note("symlink", os.symlink, "file", at("link"))
    note("readlink", os.readlink, at("link"))
    note("link", os.link, at("file"), at("linked"))
    note("stat", lambda: os.stat(at("file")).st_nlink)
    note("write", store, at("file"), b"0123456789")
    note("read", load, at("file"))
    note("append", lambda: os.close(os.open(at("file"), os.O_WRONLY | os.O_APPEND)))
    note("truncate", os.truncate, at("file"), 5)
    note("open with O_TRUNC", open_file, os.O_WRONLY | os.O_TRUNC)
    note("size", lambda: os.stat(at("file")).st_size)
    note("chmod", os.chmod, at("file"), 0o600)
    note("chown", os.chown, at("file"), 1, 2)
    note("utime", os.utime, at("file"), (1, 2))
    note("statvfs", lambda: os.statvfs(at("")).f_namemax)
    note("setxattr", os.setxattr, at("file"), "user.a", b"1")
    note("getxattr", os.getxattr, at("file"), "user.a")
    note("listxattr", os.listxattr, at("file"))
    note("removexattr", os.removexattr, at("file"), "user.a")
    note("listdir", lambda: sorted(os.listdir(at(""))))
    note("listdir of dir", lambda: os.listdir(at("dir")))
    note("access", os.access, at("file"), os.R_OK)

    def fsync_directory():
        fd = os.open(at("dir"), os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
    note("fsyncdir", fsync_directory)
    with_an_open_file(at("node"), note)
    note("rename", os.rename, at("node"), at("dir/moved"))
    note("rmdir of a full one", os.rmdir, at("dir"))
    note("unlink", os.unlink, at("dir/moved"))
    wait_until(lambda: nothing_hidden(at("dir")), "the release of a closed file is through")
    note("rmdir", os.rmdir, at("dir"))
    note("what is left", lambda: sorted(os.listdir(at(""))))
    return lines


def nothing_hidden(directory):
    """close(2) does not wait for RELEASE, and a file that is removed before it stays as .fuse_hidden* until then."""
    try:
        return not any(name.startswith(".fuse_hidden") for name in os.listdir(directory))
    except OSError:   # readdir or opendir is what was left out
        time.sleep(0.3)
        return True


def with_an_open_file(path, note):
    try:
        fd = os.open(path, os.O_RDWR)
    except OSError as error:
        note(f"open: {errno.errorcode[error.errno]}", lambda: None)
        return
    other = os.open(path, os.O_RDWR)
    note("pwrite", os.pwrite, fd, b"x" * 10000, 0)
    note("fallocate", os.posix_fallocate, fd, 0, 20000)
    note("seek to a hole", os.lseek, fd, 0, os.SEEK_HOLE)
    note("seek to data", os.lseek, fd, 100, os.SEEK_DATA)
    note("copy", os.copy_file_range, fd, other, 100, 0, 15000)
    note("fsync", os.fsync, fd)
    note("ioctl", fcntl.ioctl, fd, 0x6d04)   # MEMFS_IOC_NOTHING
    note("unknown ioctl", fcntl.ioctl, fd, 0x6d63)
    note("flock", fcntl.flock, fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    note("flock by another", fcntl.flock, other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    note("lockf", fcntl.lockf, fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    note("unlock", fcntl.lockf, fd, fcntl.LOCK_UN)
    note("fchmod", os.fchmod, fd, 0o644)
    note("ftruncate", os.ftruncate, fd, 3)
    note("close", os.close, other)
    note("close", os.close, fd)


@claim(150)
def what_is_missing_is_made_up_for():
    bad = []
    for i, left_out in enumerate(LEFT_OUT):
        options = f"{NO_TIMEOUTS},without={left_out}"
        with Mount("hl_memfs_dist", options) as mount:
            wanted = battery(mount)
        # One of the two transports each: what is made up for is above both.
        with Mount("hl_memfs", options, transport=("fuse_uring", "dev")[i % 2]) as mount:
            got = battery(mount)
        if got != wanted:
            bad += [f"without {left_out}: {line}" for line in [*differences(got, wanted), mount.log()]]
    same(bad, [], "ours (-) and the distribution's (+)")


def exit_code(name, *words, transport=""):
    env = dict(os.environ, RINGFUSE_TRANSPORT=transport or "auto")
    ended = subprocess.run([program(name), *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, text=True, timeout=30 * setup.patience, check=False, env=env)
    return ended.returncode


@claim(90)
def fuse_main_returns_what_libfuse_s_does():
    directory = new_directory()
    calls = {
        "help": ("--help",), "version": ("-V",), "no mountpoint": (), "unknown option": ("-o", "no_such", directory),
        "two mountpoints": (directory, directory), "no such mountpoint": ("-f", directory + "/none"),
        "a value that is no number": ("-o", "attr_timeout=x", directory),
        "what mount(2) refuses": ("-f", "-o", "max_read=x", directory), "no such module": ("-o", "modules=none", directory),
    }
    for what, words in calls.items():
        wanted = exit_code("hl_hello_dist", *words)
        for transport in ("fuse_uring", "dev"):
            same(exit_code("hl_hello", *words, transport=transport), wanted, f"exit code: {what}")
    check(not find_mount(directory), "something is mounted")


def ended_by(name, how, *args, transport):
    mount = Mount(name, args=args, transport=transport, code=None)
    with mount:
        load(mount.path("hello"))
        how(mount)
        try:
            mount.code = mount.process.wait(20 * setup.patience)
        except subprocess.TimeoutExpired:
            check(False, f"{name} does not end")
    return mount.code


@claim(90)
def and_when_it_is_ended():
    import signal
    ways = {
        "umount": lambda mount: run("umount", mount.dir),
        "SIGTERM": lambda mount: mount.process.send_signal(signal.SIGTERM),
        "SIGINT": lambda mount: mount.process.send_signal(signal.SIGINT),
        "SIGHUP": lambda mount: mount.process.send_signal(signal.SIGHUP),
        "abort": lambda mount: mount.abort(),
    }
    for what, how in ways.items():
        for args in (("-f",), ("-f", "-s")):
            wanted = ended_by("hl_hello_dist", how, *args, transport="")
            if what == "abort" and wanted == LOOP_FAILED:
                # A reader that was in the midst of its call got ECONNABORTED, which libfuse passes on. For us it is the end.
                wanted = 0
            for transport in ("fuse_uring", "dev"):
                same(ended_by("hl_hello", how, *args, transport=transport), wanted, f"exit code after {what} {args}")


@claim(60)
def without_f_it_goes_into_the_background():
    for name in ("hl_hello_dist", "hl_hello"):
        directory = new_directory()
        same(exit_code(name, directory), 0, "exit code")
        check(find_mount(directory), f"{name} is not mounted")
        same(load(os.path.join(directory, "hello")), b"hello, world\n", "text")
        run("umount", directory)



if __name__ == "__main__":
    main()
