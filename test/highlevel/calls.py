#!/usr/bin/env python3
"""What the filesystem is asked, counted by hl_probe: every member of fuse_operations is called, options change the calls
as they say, and the functions an operation may call do what they are for."""

import array
import contextlib
import ctypes
import errno
import fcntl
import os
import select
import subprocess
import sys
import time

from hl import is_reference, load, mounted, store
from harness import check, claim, fails_with, main, new_directory, run, same, setup, wait_until
from server import find_mount

LIBC = ctypes.CDLL(None, use_errno=True)
LONG = "entry_timeout=600,attr_timeout=600"


class Probe:
    """hl_probe, mounted."""

    def __init__(self, options="", args=("-f",)):
        self.mount = mounted("hl_probe", options, args=args)
        self.path = self.mount.path

    def __enter__(self):
        self.mount.__enter__()
        return self

    def __exit__(self, *exc):
        self.mount.__exit__(*exc)

    def counts(self):
        return {name: int(value) for name, value in map(str.split, load(self.path(".calls")).decode().splitlines())}

    def count(self, name):
        return self.counts()[name]

    def tell(self, words):
        """A command; returns its result."""
        fd = os.open(self.path(".control"), os.O_WRONLY)
        try:
            os.write(fd, words.encode())
        finally:
            os.close(fd)
        return self.count("result")

    def file(self, name="file"):
        path = self.path(name)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o666))
        return path


@contextlib.contextmanager
def opened(path, flags=os.O_RDWR):
    fd = os.open(path, flags)
    try:
        yield fd
    finally:
        os.close(fd)


def forget_all():
    with open("/proc/sys/vm/drop_caches", "w", encoding="ascii") as file:
        file.write("2")


def use_names(probe):
    at = probe.path
    os.mkdir(at("dir"))
    os.mkfifo(at("fifo"))
    os.symlink("text", at("link"))
    same(os.readlink(at("link")), "text", "link")
    path = probe.file()
    os.link(path, at("second"))
    os.rename(at("second"), at("third"))
    os.unlink(at("third"))
    os.chmod(path, 0o600)
    os.chown(path, 1, 1)
    os.truncate(path, 1 << 20)
    os.utime(path, (1, 1))
    os.access(path, os.R_OK)
    same(os.statvfs(path).f_namemax, 77, "length of names")
    os.setxattr(path, "user.probe", b"x")
    same(os.getxattr(path, "user.probe"), b"user.probe\0", "attribute")
    same(os.listxattr(path), ["user.probe"], "attributes")
    os.removexattr(path, "user.probe")
    os.mkfifo(at("dir", "listed"))
    same(os.listdir(at("dir")), ["listed"], "names")
    os.unlink(at("dir", "listed"))
    with opened(at("dir"), os.O_RDONLY | os.O_DIRECTORY) as fd:
        os.fsync(fd)
    os.rmdir(at("dir"))


def use_file(path, other):
    with opened(path) as fd, opened(other) as second:
        same(os.pread(fd, 3, 0), b"aaa", "bytes")
        os.pwrite(fd, b"bytes", 0)
        os.fsync(fd)
        fcntl.lockf(fd, fcntl.LOCK_EX)
        fcntl.flock(fd, fcntl.LOCK_EX)
        same(fcntl.ioctl(fd, 0x6d63), 3, "ioctl")
        poller = select.poll()
        poller.register(fd, select.POLLIN)
        same(poller.poll(1000), [(fd, select.POLLIN)], "poll")
        os.posix_fallocate(fd, 0, 100)
        same(os.lseek(fd, 100, os.SEEK_DATA), 107, "where data is")
        same(os.copy_file_range(fd, second, 1000, 0, 0), 1000, "bytes copied")


def members_called(probe, *left_out):
    """Every member was called but those left out; those must not have been."""
    counts = probe.counts()
    members = list(counts)[:list(counts).index("null_paths")]
    same([name for name in members if counts[name] == 0], list(left_out), "never called")


@claim()
def every_member_is_called():
    never = ["destroy", "bmap", "syncfs"] + ["statx"] * is_reference()
    ways = [("", ["read", "write"]), ("plain_io", ["write_buf", "read_buf"])]
    if not is_reference():   # whose fuse_fs_* know less
        ways += [("modules=through", ["read", "write"])]
    for options, left_out in ways:
        with Probe(options) as probe:
            use_names(probe)
            use_file(probe.path("file"), probe.file("other"))
            born = run("stat", "-c", "%W", probe.path("file")).strip()
            same(born, "0" if is_reference() else "12345", "time of birth")
            members = list(probe.counts())
            members_called(probe, *sorted({*never, *left_out}, key=members.index))
        check("\ndestroy 1\n" in probe.mount.log(), "destroy was not called once at the end")


@contextlib.contextmanager
def block_device():
    image = os.path.join(new_directory("image"), "image")
    with open(image, "wb") as file:
        file.truncate(1 << 20)
    device = run("losetup", "-f", "--show", image).strip()
    try:
        yield device
    finally:
        run("losetup", "-d", device)


def block_of(fd, number):
    block = array.array("i", [number])
    fcntl.ioctl(fd, 1, block)   # FIBMAP
    return block[0]


@claim()
def members_only_a_block_device_calls():
    with block_device() as device, Probe(f"blkdev,fsname={device}") as probe:
        with opened(probe.file()) as fd:
            same(block_of(fd, 5), 105, "block")
            same(LIBC.syncfs(fd), 0, "syncfs")
        # Kernel: it asks about syncfs from 6.18 on.
        asks = tuple(map(int, os.uname().release.split(".")[:2])) >= (6, 18) and not is_reference()
        same(probe.count("syncfs") > 0, asks, "syncfs was called")


@claim()
def a_block_number_comes_through_a_module():
    if is_reference():
        return   # as every_member_is_called
    with block_device() as device, Probe(f"blkdev,fsname={device},modules=through") as probe:
        with opened(probe.file()) as fd:
            same(block_of(fd, 7), 107, "block")


@claim()
def open_files_come_without_a_path_if_the_filesystem_says_so():
    for options, wanted in (("", False), ("nullpath_ok", True)):
        with Probe(options) as probe:
            other = probe.file("other")
            use_file(probe.file(), other)
            same(probe.count("null_paths") > 0, wanted, f"calls without a path with {options!r}")


@claim()
def a_file_opened_for_reading_is_not_flushed_with_no_rofd_flush():
    for options, wanted in (("", 1), ("no_rofd_flush", 0)):
        with Probe(options) as probe:
            path = probe.file()
            for flags, flushes in ((os.O_RDONLY, wanted), (os.O_RDWR, 1)):
                before = probe.count("flush")
                with opened(path, flags):
                    pass
                same(probe.count("flush") - before, flushes, f"flushes with {options!r} and flags {flags}")


@claim()
def auto_cache_asks_for_attributes_older_than_ac_attr_timeout():
    for timeout, wanted in (("ac_attr_timeout=0", 4), ("ac_attr_timeout=600", 0), (None, 0)):
        with Probe(",".join(filter(None, [LONG, "auto_cache", timeout]))) as probe:
            path = probe.file()
            with opened(path, os.O_RDONLY):
                pass   # the first open finds nothing cached yet
            before = probe.count("getattr")
            for _ in range(4):
                with opened(path, os.O_RDONLY):
                    pass
            same(probe.count("getattr") - before, wanted, f"getattr while opening with {timeout}")


@claim()
def writes_go_side_by_side_with_parallel_direct_write():
    if is_reference():
        return   # libfuse has the option from 3.15 on
    for options, side_by_side in (("direct_io,plain_io", False), ("direct_io,plain_io,parallel_direct_write=1", True)):
        with Probe(options) as probe:
            path = probe.file("w")
            writers = []
            for i in range(4):
                code = "import os, sys; os.pwrite(os.open(sys.argv[1], os.O_WRONLY), b'x' * 4096, int(sys.argv[2]) * 4096)"
                writers.append(subprocess.Popen([sys.executable, "-S", "-c", code, path, str(i)]))
            same([writer.wait(30 * setup.patience) for writer in writers], [0] * 4, "exit codes")
            same(probe.count("most_writers") > 1, side_by_side, f"several at once with {options}")


@claim()
def a_cached_file_is_read_again_after_fuse_invalidate_path():
    with Probe(f"{LONG},kernel_cache") as probe:
        os.mkdir(probe.path("dir"))
        path = probe.file("dir/file")
        same(load(path)[:1], b"a", "at first")
        probe.tell("next")
        same(load(path)[:1], b"a", "what is cached")
        same(probe.tell("invalidate /dir/file"), 0, "result")
        same(load(path)[:1], b"b", "after fuse_invalidate_path()")
        os.stat(path)
        before = probe.count("getattr")
        os.stat(path)
        same(probe.count("getattr") - before, 0, "attributes that are cached again were asked for")
        probe.tell("invalidate /dir/file")
        os.stat(path)
        check(probe.count("getattr") > before, "attributes are asked for again")
        same(probe.tell("invalidate /"), 0, "the root")
        fails_with(errno.ENOENT, probe.tell, "invalidate /dir/nothing")
        fails_with(errno.ENOENT, probe.tell, "invalidate /nothing/file")


@claim()
def a_system_call_of_the_handler_ends_when_its_caller_gives_up():
    if is_reference():
        return   # libfuse 3.14 kills itself with its own signal if init() sets intr
    for options in ("intr,direct_io", "intr,direct_io,intr_signal=12", "intr,direct_io,plain_io"):
        with Probe(options) as probe:
            path = probe.file("wait")
            code = "import sys; print('go', flush=True); open(sys.argv[1], 'rb').read(10)"
            with subprocess.Popen([sys.executable, "-S", "-c", code, path], stdout=subprocess.PIPE, text=True) as client:
                same(client.stdout.readline(), "go\n", "client")
                wait_until(lambda: probe.count("waiting") == 1, "the handler waits")
                client.terminate()
                same(client.wait(20 * setup.patience), -15, "how the client ended")
            wait_until(lambda: probe.count("waiting") == 0, f"the handler's poll ended with {options}")
            same(probe.count("interrupted"), 1, f"ended by the signal with {options}")


@claim()
def remembered_names_end_with_their_time_or_with_fuse_clean_cache():
    with Probe("remember=1") as probe:
        check(1 <= probe.tell("clean") <= 3600, "fuse_clean_cache() says when it is wanted next")
        first, second = probe.file("first"), probe.file("second")
        before = [os.stat(path).st_ino for path in (first, second)]
        probe.tell("stop")
        forget_all()
        time.sleep(2.5)
        same(os.stat(first).st_ino, before[0], "number while nobody cleans up")
        probe.tell("clean")
        check(os.stat(second).st_ino != before[1], "fuse_clean_cache() left a name that was over its time")
        same(os.stat(first).st_ino, before[0], "number of a name that is in use")
        same(probe.tell("start"), 0, "fuse_start_cleanup_thread()")
        if is_reference():
            return   # libfuse's thread looks once a minute

        def another_number():
            forget_all()
            time.sleep(2.5)
            return os.stat(first).st_ino != before[0]
        wait_until(another_number, "the thread removes a name that is over its time", 30)


@claim()
def fuse_exit_ends_the_loop():
    for args in (("-f",), ("-f", "-s")):
        with Probe(args=args) as probe:
            load(probe.path(".calls"))
            fd = os.open(probe.path(".control"), os.O_WRONLY)
            same(os.write(fd, b"exit"), 4, "the operation that called it is answered")
            with contextlib.suppress(OSError):
                os.close(fd)   # its FLUSH may come too late
            same(probe.mount.process.wait(20 * setup.patience), 0, f"exit code with {args}")
            check(not find_mount(probe.mount.dir), f"not unmounted with {args}")


@claim()
def an_operation_knows_who_asks():
    with Probe("allow_other") as probe:
        code = "import os, sys; os.umask(0o31); os.mkdir(sys.argv[1]); print(os.getpid())"
        pid = run("setpriv", "--reuid=1234", "--regid=4321", "--clear-groups", sys.executable, "-S", "-c", code,
                  probe.path("dir"))
        counts = probe.counts()
        same((counts["uid"], counts["gid"], counts["umask"], counts["pid"]), (1234, 4321, 0o31, int(pid)), "fuse_context")
        ask = "import os, sys; os.write(os.open(sys.argv[1], os.O_WRONLY), b'groups')"
        run("setpriv", "--regid=7", "--groups=100,20,3", sys.executable, "-S", "-c", ask, probe.path(".control"))
        same(probe.count("result"), 123, "sum of what fuse_getgroups() gave")


class FileHandle(ctypes.Structure):
    """What name_to_handle_at(2) fills in."""

    _fields_ = [("bytes", ctypes.c_uint), ("type", ctypes.c_int), ("data", ctypes.c_ubyte * 128)]


def handle_of(path):
    handle, mount = FileHandle(bytes=128), ctypes.c_int()
    check(LIBC.name_to_handle_at(-100, os.fsencode(path), ctypes.byref(handle), ctypes.byref(mount), 0) == 0,
          f"name_to_handle_at: {os.strerror(ctypes.get_errno())}")
    return handle


def open_handle(mount, handle, flags):
    with opened(mount, os.O_RDONLY | os.O_DIRECTORY) as directory:
        fd = LIBC.open_by_handle_at(directory, ctypes.byref(handle), flags)
    if fd < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return fd


@claim()
def a_file_is_found_by_its_handle_after_the_kernel_forgot_it():
    with Probe("noforget,readdir_ino") as probe:
        deep = probe.path("a", "b", "c")
        for names in (("a",), ("a", "b"), ("a", "b", "c")):
            os.mkdir(probe.path(*names))
        directory, file = handle_of(deep), handle_of(probe.file("a/b/c/file"))
        forget_all()
        before = probe.count("getattr")
        # Kernel: a directory it has forgotten is connected to the root again with lookups of "..".
        fd = open_handle(probe.mount.dir, directory, os.O_RDONLY | os.O_DIRECTORY)
        same(os.readlink(f"/proc/self/fd/{fd}"), deep, "path of the directory")
        same(os.listdir(fd), ["file"], "names in it")
        os.close(fd)
        check(probe.count("getattr") >= before + 3, "the directories above were asked for")
        forget_all()
        fd = open_handle(probe.mount.dir, file, os.O_RDONLY)
        same(os.pread(fd, 2, 0), b"aa", "bytes of the file")
        os.close(fd)


@claim()
def a_handle_of_what_was_forgotten_is_stale():
    with Probe() as probe:
        os.mkdir(probe.path("dir"))
        handles = [handle_of(probe.path("dir")), handle_of(probe.file("dir/file"))]
        forget_all()
        for i in range(50):
            os.stat(probe.file(f"another{i}"))   # may get the place of what was forgotten
        for handle in handles:
            fails_with(errno.ESTALE, open_handle, probe.mount.dir, handle, os.O_RDONLY)


@claim()
def debug_writes_a_line_for_each_call():
    with Probe("debug") as probe:
        store(probe.file("traced"), b"x")
    check("/traced" in probe.mount.log(), "no line of the log names the file")


if __name__ == "__main__":
    main()
