#!/usr/bin/env python3
"""All the ways a session ends: bounded in time, with the right exit code, and nothing left behind. The loads are
readers and writers that go on until an error tells them that the filesystem is gone."""

import errno
import os
import signal
import subprocess
import sys
import time

from harness import check, claim, fails_with, main, same, setup, wait_until
from server import Mount, find_mount

CLIENTS = 8
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
# After the end a client may see any of these: the request was aborted, or the mount is gone or dead. ECANCELED is the
# kernel's (dev_uring.c, v6.18) for a request on its way to a server that is just dying.
END_ERRORS = (errno.ENOTCONN, errno.ECONNABORTED, errno.ENOENT, errno.EIO, errno.ENODEV, errno.EINTR, errno.ECANCELED)
# One client: reads and writes its file below argv[1] until a call fails; exit 0 if it failed as at an end.
CLIENT_SOURCE = f"""
import os, sys
path = os.path.join(sys.argv[1], "f" + sys.argv[2])
try:
    while True:
        fd = os.open(path, os.O_RDWR)
        os.pread(fd, 4096, 0)
        os.pwrite(fd, b"x" * 4096, 8192)
        os.close(fd)
        os.stat(path)
except OSError as error:
    sys.exit(0 if error.errno in {END_ERRORS} else error.errno)
"""


class Load:
    """Clients that work on null_ll until it is gone."""

    def __init__(self, mount):
        self.clients = [subprocess.Popen([sys.executable, "-S", "-c", CLIENT_SOURCE, mount.dir, str(i)],
                                         start_new_session=True)
                        for i in range(CLIENTS)]
        time.sleep(0.7)
        for client in self.clients:
            same(client.poll(), None, "a client ended before it should")

    def expect_end(self, seconds=15):
        deadline = time.monotonic() + seconds * setup.patience
        for client in self.clients:
            code = client.wait(max(0.1, deadline - time.monotonic()))
            same(code, 0, f"exit code of a client (the errno it got: {os.strerror(max(code, 0))})")

    def stop(self):
        for client in self.clients:
            client.kill()
            client.wait(15 * setup.patience)


def settle(mount):
    """The first request can be answered before the last queue of the ring is ready."""
    os.stat(mount.path("f0"))
    time.sleep(0.1 * setup.patience)


@claim()
def unmount_while_idle():
    for args in (("-f",), ("-f", "-s")):
        with Mount("null_ll", args=args) as mount:
            settle(mount)
            begin = time.monotonic()
            mount.unmount()
            mount.expect_end()
            took = time.monotonic() - begin
            check(took < 3 * setup.patience, f"the end took {took:.1f} s")
        same(mount.counts()[0], setup.transport, "transport")


@claim()
def unmount_before_the_first_request():
    with Mount("null_ll") as mount:
        mount.unmount()


@claim()
def unmount_in_the_midst_of_work_waits_for_its_end():
    with Mount("null_ll") as mount:
        load = Load(mount)
        ended = subprocess.run(["umount", mount.dir], stderr=subprocess.DEVNULL, timeout=15, check=False)
        check(ended.returncode != 0 or not find_mount(mount.dir), "umount says it is done, and it is not")
        if ended.returncode == 0:
            load.expect_end()   # it met a moment without an open file
        else:
            load.stop()


@claim()
def lazy_unmount_under_load():
    with Mount("null_ll") as mount:
        load = Load(mount)
        same(subprocess.run(["umount", "-l", mount.dir], timeout=15, check=False).returncode, 0, "umount -l")
        load.expect_end()
        mount.expect_end()


@claim()
def lazy_unmount_keeps_an_open_file_working():
    with Mount("memfs_ll") as mount:
        with open(mount.path("file"), "w+b", buffering=0) as file:
            file.write(b"before")
            same(subprocess.run(["umount", "-l", mount.dir], timeout=15, check=False).returncode, 0, "umount -l")
            check(not find_mount(mount.dir), "still in the mount table")
            file.write(b" and after")
            os.fsync(file.fileno())
            same(os.pread(file.fileno(), 100, 0), b"before and after", "content after the lazy unmount")
            same(mount.process.poll(), None, "server while a file is open")
        mount.expect_end()


@claim(120)
def signals_while_idle():
    for number in SIGNALS:
        for args in (("-f",), ("-f", "-s")):
            with Mount("null_ll", args=args) as mount:
                settle(mount)
                os.kill(mount.process.pid, number)
                mount.expect_end(code=0)
            same(mount.counts()[0], setup.transport, "transport")


@claim(120)
def signals_under_load():
    for number in SIGNALS:
        with Mount("null_ll") as mount:
            load = Load(mount)
            os.kill(mount.process.pid, number)
            mount.expect_end(code=0)
            load.expect_end()


@claim()
def a_signal_while_a_handler_sleeps_waits_for_the_handler():
    with Mount("null_ll", "sleep_us=1500000") as mount:
        client = subprocess.Popen(["dd", f"if={mount.path('sleepy')}", "of=/dev/null", "bs=4k", "count=1", "status=none"],
                                  stderr=subprocess.DEVNULL)
        time.sleep(0.5)
        begin = time.monotonic()
        os.kill(mount.process.pid, signal.SIGTERM)
        mount.expect_end(code=0)
        check(time.monotonic() - begin < 12 * setup.patience, "the end is not bounded")
        client.wait(10 * setup.patience)


@claim()
def two_signals_are_as_good_as_one():
    with Mount("null_ll") as mount:
        os.stat(mount.path("f0"))
        os.kill(mount.process.pid, signal.SIGTERM)
        os.kill(mount.process.pid, signal.SIGINT)
        mount.expect_end(code=0)


@claim()
def the_filesystem_ends_itself():
    for args in ((), ("-s",)):
        with Mount("exit_ll", args=args) as mount:
            os.stat(mount.dir)
            fails_with(errno.ENOENT, os.stat, mount.path("something"))
            try:
                os.stat(mount.path("exit"))
            except OSError as error:
                check(error.errno in END_ERRORS, f"errno {os.strerror(error.errno)}")
            mount.expect_end(code=0)
        check("loop rc=0" in mount.log(), f"log:\n{mount.log()}")
        same(mount.log().count("destroyed"), 1, "calls of destroy()")
        same(mount.counts()[0], setup.transport, "transport")


@claim()
def the_filesystem_ends_itself_and_owes_an_answer():
    with Mount("exit_ll", args=()) as mount:
        os.stat(mount.dir)
        try:
            os.stat(mount.path("exit_unanswered"))
        except OSError as error:
            check(error.errno in END_ERRORS, f"errno {os.strerror(error.errno)}")
        mount.expect_end(code=0)


@claim()
def a_killed_server_fails_its_clients_at_once():
    with Mount("null_ll", code=-signal.SIGKILL) as mount:
        load = Load(mount)
        kept = os.open(mount.path("f0"), os.O_RDONLY)
        mount.process.kill()
        mount.process.wait(15 * setup.patience)
        load.expect_end()
        fails_with(errno.ENOTCONN, os.stat, mount.path("f1"))
        fails_with(errno.ENOTCONN, os.pread, kept, 10, 0)
        os.close(kept)
        check(find_mount(mount.dir), "a mount of which nobody cleaned up is still listed")
        same(subprocess.run(["umount", "-l", mount.dir], timeout=15, check=False).returncode, 0, "umount -l")


# libfuse does not unmount after an abort: it takes a dead connection for an unmounted one. Neither do we.
@claim()
def an_aborted_connection_ends_the_loop():
    for name, args in (("null_ll", ("-f",)), ("null_ll", ("-f", "-s")), ("null_ll_dist", ("-f",))):
        with Mount(name, args=args) as mount:
            load = Load(mount)
            mount.abort()
            load.expect_end()
            code = mount.process.wait(20 * setup.patience)
            # A reader that was in the midst of its call gets ECONNABORTED, which libfuse passes on: null_ll exits with 3.
            check(code == 0 or (code == 3 and name == "null_ll_dist"), f"exit code of {mount.words}: {code}")
            fails_with(errno.ENOTCONN, os.stat, mount.path("f1"))
            check(find_mount(mount.dir), f"unmounted after an abort: {mount.words}")
            mount.unmount()
        if name == "null_ll":
            same(mount.counts()[0], setup.transport, "transport")


@claim()
def serving_does_not_use_up_threads_or_descriptors():
    with Mount("null_ll") as mount:
        load = Load(mount)
        load.stop()
        wait_until(lambda: os.stat(mount.path("f0")), "answers")
        fds, threads = len(mount.open_fds()), mount.threads()
        for _ in range(2):
            load = Load(mount)
            load.stop()
        os.stat(mount.path("f0"))
        # Threads come with need, at most a few for each client. What leaked with each of some ten thousand requests
        # would be far more.
        check(len(mount.open_fds()) <= fds + 3 * CLIENTS, f"descriptors: {fds}, later {len(mount.open_fds())}")
        check(mount.threads() <= threads + CLIENTS, f"threads: {threads}, later {mount.threads()}")


@claim(120)
def many_short_lives_leave_nothing():
    # Some end while the ring is still being set up: the first request is answered before the last queue is ready.
    for i in range(60):
        with Mount("null_ll") as mount:
            if i % 3:
                os.stat(mount.path("f0"))


if __name__ == "__main__":
    main()
