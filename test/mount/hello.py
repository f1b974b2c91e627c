#!/usr/bin/env python3
"""The smallest filesystem, the ways a loop can be run, and the command line of a program in the background."""

import errno
import os
import signal
import stat
import subprocess

from harness import check, claim, fails_with, main, run, same, setup, wait_until
from server import Mount, find_mount

TEXT = "hello, world\n"


def expect_hello(directory):
    same(sorted(os.listdir(directory)), ["dir", "hello"], "names")
    with open(os.path.join(directory, "hello"), encoding="ascii") as file:
        same(file.read(), TEXT, "text")


@claim()
def files_and_attributes_are_those_of_the_filesystem():
    with Mount("hello_ll") as mount:
        same(run("ls", "-A", mount.dir).split(), ["dir", "hello"], "ls")
        same(run("cat", mount.path("hello")), TEXT, "cat")
        same(run("stat", "-c", "%i %s %a %h %F", mount.path("hello")), "2 13 444 1 regular file\n", "stat")
        root = os.stat(mount.dir)
        same((root.st_ino, root.st_mode, root.st_nlink), (1, stat.S_IFDIR | 0o755, 3), "root")
        fd = os.open(mount.path("hello"), os.O_RDONLY)
        same(os.pread(fd, 100, 7), b"world\n", "bytes from 7 on")
        same(os.pread(fd, 100, 13), b"", "bytes at the end")
        os.close(fd)


@claim()
def what_the_filesystem_refuses_the_caller_is_told():
    with Mount("hello_ll") as mount:
        fails_with(errno.ENOENT, os.stat, mount.path("missing"))
        fails_with(errno.EACCES, os.open, mount.path("hello"), os.O_WRONLY)
        fails_with(errno.ENOSYS, os.mkdir, mount.path("new"))
        fails_with(errno.ENOSYS, os.unlink, mount.path("hello"))
        fails_with(errno.ENOTDIR, os.listdir, mount.path("hello"))


@claim()
def the_asked_transport_serves():
    with Mount("hello_ll") as mount:
        for _ in range(50):
            expect_hello(mount.dir)
    transport, ring, device, _, workers = mount.counts()
    same(transport, setup.transport, "transport")
    if transport == "fuse_uring":
        check(ring > 10 and workers > 0, f"ring_requests={ring} workers={workers}")
    else:
        check(ring == 0 and device > 10, f"ring_requests={ring} device_requests={device}")


@claim()
def one_thread_is_enough():
    with Mount("hello_ll", args=("-f", "-s")) as mount:
        expect_hello(mount.dir)
        # TSan and ASan programs may have a thread of the sanitizer's beside.
        extra = 1 if setup.sanitizer else 0
        check(mount.threads() <= 1 + extra, f"threads={mount.threads()}")
    same(mount.counts()[0], setup.transport, "transport")


@claim()
def every_device_thread_may_have_a_clone_of_the_descriptor():
    with Mount("hello_ll", "clone_fd") as mount:
        expect_hello(mount.dir)
        opened = [os.readlink(f"/proc/{mount.process.pid}/fd/{fd}") for fd in mount.open_fds()]
        check(opened.count("/dev/fuse") >= 2, f"descriptors: {opened}")
    same(mount.counts()[0], setup.transport, "transport")


@claim()
def more_threads_than_the_default_serve_as_well():
    with Mount("hello_ll", "max_threads=40,max_idle_threads=2") as mount:
        for _ in range(20):
            expect_hello(mount.dir)
    same(mount.counts()[0], setup.transport, "transport")


def daemon_of(directory):
    """The pid of the process that serves `directory`, found by its command line."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                words = file.read().split(b"\0")
        except OSError:
            continue
        if directory.encode() in words and b"hello_ll" in words[0]:
            return int(pid)
    return 0


@claim()
def in_the_background_it_serves_and_leaves_with_the_mount():
    with Mount("hello_ll", args=()) as mount:
        same(mount.process.wait(15 * setup.patience), 0, "exit code of the foreground process")
        check(find_mount(mount.dir), "mounted when the foreground process has ended")
        pid = daemon_of(mount.dir)
        check(pid > 0, "no daemon")
        expect_hello(mount.dir)
        same(os.readlink(f"/proc/{pid}/cwd"), "/", "directory of the daemon")
        same(os.readlink(f"/proc/{pid}/fd/2"), "/dev/null", "its standard error")
        same(os.getsid(pid), pid, "its session")
        rings = sum("io_uring" in os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd"))
        check((rings > 0) == (setup.transport != "dev"), f"rings={rings}")
        mount.unmount()
        wait_until(lambda: daemon_of(mount.dir) == 0, "the daemon has ended")


@claim()
def a_daemon_ends_at_a_signal():
    with Mount("hello_ll", args=()) as mount:
        mount.process.wait(15 * setup.patience)
        pid = daemon_of(mount.dir)
        expect_hello(mount.dir)
        os.kill(pid, signal.SIGTERM)
        wait_until(lambda: daemon_of(mount.dir) == 0 and not find_mount(mount.dir), "daemon and mount are gone")


@claim()
def help_and_version_need_no_mount():
    for option, wanted in (("--help", "transport="), ("--version", "FUSE library version")):
        ended = subprocess.run([Mount("hello_ll").words[0], option], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               text=True, timeout=20 * setup.patience, check=False)
        same(ended.returncode, 0, option)
        check(wanted in ended.stdout, f"{option} printed:\n{ended.stdout}")


if __name__ == "__main__":
    main()
