"""A filesystem process and its mount, for the length of a `with` block.

Entering starts the process in the foreground and waits until the mount table shows it. Leaving unmounts, and then
nothing may be left: the process ended with the wanted code, no other process of its session lives, the mount and its
connection are gone, and the log holds no sanitizer report. A block that raises gets the server's log printed and the
mount taken away by force."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import time

from harness import CONNECTIONS, Failed, check, new_directory, program, same, setup, wait_until

SANITIZER_WORDS = ("Sanitizer", "runtime error:")
END_LINE = re.compile(r"^ringfuse: transport=(\S+) ring_requests=(\d+) device_requests=(\d+) queues=(\d+) workers=(\d+)",
                      re.MULTILINE)
LOG_SHOWN_BYTES = 12000


def find_mount(path):
    """(connection number, type, super options) of the FUSE mount at `path`, or None. Does not touch the mount."""
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as table:
        for line in table:
            fields = line.split()
            kind = fields[fields.index("-") + 1]
            if fields[4] == path and kind.partition(".")[0] in ("fuse", "fuseblk"):
                return int(fields[2].split(":")[1]), kind, fields[-1]
    return None


def session_pids(leader):
    """Processes in the session of `leader`; a zombie is none any more."""
    pids = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as stat:
                fields = stat.read().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == leader and fields[0] not in "ZX":
            pids.append(int(name))
    return pids


def shared_copy(name):
    """The program and its library where every user may run it; the build directory may be closed to others."""
    folder = os.path.join(setup.work, "bin")
    if not os.path.isdir(folder):
        os.mkdir(folder, 0o755)
        shutil.copy(os.path.join(setup.build, "lib", "libringfuse.so.1"), folder)
    target = os.path.join(folder, name)
    if not os.path.exists(target):
        shutil.copy(program(name), target)
    return target


def command_line(name, directory, *, options="", transport="", args=(), wrapper=(), user=None):
    """(words, environment) that start the filesystem."""
    words = ["-o", ",".join(filter(None, [transport and f"transport={transport}", options]))]
    words = words if words[1] else []
    env = dict(os.environ, RINGFUSE_VERBOSE="1")
    path = program(name)
    if user:
        path = shared_copy(name)
        env["LD_LIBRARY_PATH"] = os.path.dirname(path)
        wrapper = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", *wrapper]
    return [*wrapper, path, *args, *words, directory], env


class Mount:
    """`transport`: the script's own if None; "" leaves the choice to the library (`_dist` programs have none)."""

    def __init__(self, name, options="", *, transport=None, args=("-f",), wrapper=(), user=None, env=None, code=0):
        self.transport = setup.transport if transport is None else transport
        if name.endswith("_dist"):
            self.transport = ""
        self.dir = new_directory(name, owner=user)
        self.code = code   # what the process has to exit with
        self.log_path = self.dir + ".log"
        self.words, self.env = command_line(name, self.dir, options=options, transport=self.transport, args=args,
                                            wrapper=wrapper, user=user)
        self.env.update(env or {})
        self.process = None
        self.connection = None

    def path(self, *names):
        return os.path.join(self.dir, *names)

    def start(self):
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(self.words, env=self.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            start_new_session=True)
        setup.mounts.append(self)

    def __enter__(self):
        self.start()
        try:
            self.wait_mounted()
        except BaseException:
            self._print_log()
            self.break_down()
            raise
        return self

    def __exit__(self, kind, *exc):
        try:
            if kind is None:
                self.unmount()
                self.expect_end()
        except BaseException:
            kind = True
            raise
        finally:
            if kind is not None:
                self._print_log()
            self.break_down()

    def wait_mounted(self):
        def mounted():
            if found := find_mount(self.dir):
                return found
            code = self.process.poll()
            # A server that went into the background: its parent ends with 0.
            check(code in (None, 0), f"exit {code} before the mount was there")
            return None
        self.connection = wait_until(mounted, f"mounted: {self.words}")[0]

    def unmount(self):
        """umount(8), unless somebody did it already. An open file of the claim itself would make it fail."""
        if find_mount(self.dir):
            ended = subprocess.run(["umount", self.dir], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                   timeout=30 * setup.patience, check=False)
            same((ended.returncode, ended.stdout), (0, ""), "umount")

    def expect_end(self, code=None, seconds=20):
        """The process ends by itself and leaves nothing."""
        try:
            ended = self.process.wait(seconds * setup.patience)
        except subprocess.TimeoutExpired as error:
            raise Failed(f"server still runs after {seconds * setup.patience} s: {self.words}") from error
        same(ended, self.code if code is None else code, "exit code of the server")
        self.expect_gone()

    def expect_gone(self):
        wait_until(lambda: not find_mount(self.dir), "the mount is gone", 5)
        wait_until(lambda: not os.path.exists(f"{CONNECTIONS}/{self.connection}"), "the connection is gone", 5)
        wait_until(lambda: not session_pids(self.process.pid), "no process is left", 5)
        for word in SANITIZER_WORDS:
            check(word not in self.log(), f"sanitizer report:\n{self.log()[:LOG_SHOWN_BYTES]}")

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def counts(self):
        """(transport, ring requests, device requests, queues, workers) of the line printed at the loop's end."""
        found = END_LINE.findall(self.log())
        same(len(found), 1, f"end lines in the log:\n{self.log()[-2000:]}\nnumber of end lines")
        return found[0][0], *map(int, found[0][1:])

    def open_fds(self):
        return sorted(int(fd) for fd in os.listdir(f"/proc/{self.process.pid}/fd"))

    def open_files_below(self, directory):
        """How many of its descriptors lead into a directory."""
        count = 0
        for fd in self.open_fds():
            with contextlib.suppress(FileNotFoundError):  # one that is just being closed
                count += os.readlink(f"/proc/{self.process.pid}/fd/{fd}").startswith(directory + "/")
        return count

    def threads(self):
        """Without those the kernel runs for an io_uring (iou-wrk-...), which come and go as it likes."""
        count = 0
        for tid in os.listdir(f"/proc/{self.process.pid}/task"):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # one that is just ending
                with open(f"/proc/{self.process.pid}/task/{tid}/comm", encoding="utf-8") as file:
                    count += not file.read().startswith("iou-")
        return count

    def abort(self):
        if self.connection is not None and os.path.exists(f"{CONNECTIONS}/{self.connection}/abort"):
            with open(f"{CONNECTIONS}/{self.connection}/abort", "w", encoding="utf-8") as file:
                file.write("1")

    def break_down(self):
        """Takes everything away that is still there, whatever state it is in."""
        if self in setup.mounts:
            setup.mounts.remove(self)
        if found := find_mount(self.dir):
            self.connection = found[0]
            self.abort()
            subprocess.run(["umount", "-l", self.dir], timeout=30, check=False)
        for pid in session_pids(self.process.pid):
            os.kill(pid, signal.SIGKILL)
        if self.process.poll() is None:
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                print(f"does not end: pid={self.process.pid}", flush=True)

    def _print_log(self):
        print(f"--- {' '.join(self.words)}\n{self.log()[-LOG_SHOWN_BYTES:]}---", flush=True)


def refused(name, options="", *, transport="", args=("-f",), wrapper=(), user=None, directory=None, code=None):
    """Starts a filesystem that must not come up. Returns what it printed; the exit code must not be 0."""
    directory = directory or new_directory(name, owner=user)
    words, env = command_line(name, directory, options=options, transport=transport, args=args, wrapper=wrapper,
                              user=user)
    try:
        ended = subprocess.run(words, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, timeout=15 * setup.patience, check=False)
    except subprocess.TimeoutExpired as error:
        subprocess.run(["umount", "-l", directory], timeout=30, check=False)
        raise Failed(f"not refused: {words}") from error
    check(ended.returncode > 0, f"exit {ended.returncode}, wanted a failure: {words}\n{ended.stdout}")
    if code is not None:
        same(ended.returncode, code, f"exit code of {words}\n{ended.stdout}")
    check(not find_mount(directory), f"still mounted: {directory}\n{ended.stdout}")
    for word in SANITIZER_WORDS:
        check(word not in ended.stdout, ended.stdout)
    return ended.stdout
