"""One variant of the benchmark: a filesystem process mounted in the foreground on a directory of its own.

Whatever happens, leaving the `with` block unmounts it, ends the processes that were started here (by id) and
removes the directory. A mount that hangs is aborted first: the kernel does not let a waiting caller go for SIGKILL
once the filesystem has its request."""

import contextlib
import os
import shlex
import signal
import subprocess
import tempfile
import time

MOUNT_TIMEOUT_S = 15
UNMOUNT_TIMEOUT_S = 10
EXIT_TIMEOUT_S = 10
STDERR_SHOWN_BYTES = 8192


class MountFailed(Exception):
    """The variant did not come up; the text says what it printed."""


def find_mount(path):
    """(connection number, filesystem type) of the FUSE mount at `path`, or None. Never touches the mount itself."""
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as table:
        for line in table:
            fields = line.split(" ")
            fstype = fields[fields.index("-") + 1]
            if fields[4] == path and (fstype == "fuse" or fstype.startswith("fuse.")):
                return int(fields[2].split(":")[1]), fstype
    return None


def session_pids(leader):
    """Processes of the session `leader` started with start_new_session."""
    pids = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        stat = read_stat(int(name))
        if stat and int(stat[3]) == leader:
            pids.append(int(name))
    return pids


def read_stat(pid):
    """/proc/PID/stat from the state on: [state, ppid, pgrp, session, ...]; None if the process is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
            return stat.read().rpartition(")")[2].split()
    except OSError:
        return None


def tasks(pid):
    """The threads of a process; none if it is gone."""
    try:
        return os.listdir(f"/proc/{pid}/task")
    except OSError:
        return []


def switches_of(pid, tid):
    """How often a thread went on or off a CPU, of its own accord or not; 0 if it is gone."""
    try:
        with open(f"/proc/{pid}/task/{tid}/status", encoding="utf-8", errors="replace") as status:
            return sum(int(line.split()[1]) for line in status if "ctxt_switches" in line)
    except OSError:
        return 0


def end_child(child):
    """Kills and reaps `child`. REQUIRES: the mount it works on was aborted."""
    child.kill()
    try:
        child.wait(EXIT_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        print(f"bench: does not end: pid={child.pid}", flush=True)


class Mounted:
    """Context manager. `command` is a command line; {dir} in it is the mount point (appended when absent)."""

    def __init__(self, name, command, base_dir):
        self.name = name
        self.command = command
        self.base_dir = base_dir
        self.dir = None
        self.process = None
        self.stderr = None
        self.aborted = False

    def __enter__(self):
        # The mount table knows resolved names only.
        self.dir = os.path.realpath(tempfile.mkdtemp(prefix="bench-", dir=self.base_dir))
        self.stderr = tempfile.TemporaryFile()
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *exc):
        self.close()

    def _start(self):
        words = shlex.split(self.command)
        if not any("{dir}" in word for word in words):
            words.append("{dir}")
        words = [word.replace("{dir}", self.dir) for word in words]
        try:
            self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=self.stderr,
                                            stderr=self.stderr, start_new_session=True)
        except OSError as error:
            raise MountFailed(f"{self.name}: cannot start {words[0]}: {error.strerror}") from error
        deadline = time.monotonic() + MOUNT_TIMEOUT_S
        while find_mount(self.dir) is None:
            code = self.process.poll()
            if code is not None:
                raise MountFailed(f"{self.name}: exit {code} before it mounted\n{self.printed()}")
            if time.monotonic() > deadline:
                raise MountFailed(f"{self.name}: not mounted after {MOUNT_TIMEOUT_S} s\n{self.printed()}")
            time.sleep(0.02)
        # The mount table shows it before the loop runs; the first answer proves that it serves. `stat` is a process
        # of its own, because a filesystem that never answers would take this one with it.
        if not self._answers(deadline - time.monotonic()):
            raise MountFailed(f"{self.name}: mounted but does not answer\n{self.printed()}")

    def _answers(self, timeout_s):
        probe = subprocess.Popen(["stat", self.dir], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL)
        try:
            return probe.wait(max(timeout_s, 1)) == 0
        except subprocess.TimeoutExpired:
            self.abort()
            end_child(probe)
            return False

    def printed(self):
        """The end of what the filesystem wrote to stdout and stderr."""
        end = self.stderr.seek(0, os.SEEK_END)
        self.stderr.seek(max(0, end - STDERR_SHOWN_BYTES))
        return self.stderr.read().decode(errors="replace").rstrip()

    def is_alive(self):
        return not self.aborted and self.process.poll() is None

    def cpu_seconds(self):
        """User + system time of the filesystem's processes, as counted in /proc/PID/stat."""
        ticks = 0
        for pid in session_pids(self.process.pid):
            stat = read_stat(pid)
            if stat:
                ticks += int(stat[11]) + int(stat[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def rss_mib(self):
        pages = 0
        for pid in session_pids(self.process.pid):
            stat = read_stat(pid)
            if stat:
                pages += int(stat[21])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def nr_threads(self):
        return sum(len(tasks(pid)) for pid in session_pids(self.process.pid))

    def context_switches(self):
        """Of all threads that live now, since each began."""
        return sum(switches_of(pid, tid) for pid in session_pids(self.process.pid) for tid in tasks(pid))

    def abort(self):
        """Ends the connection: every waiting caller gets an error. The mount stays until close()."""
        self.aborted = True
        mount = find_mount(self.dir)
        if mount is None:
            return
        try:
            with open(f"/sys/fs/fuse/connections/{mount[0]}/abort", "w", encoding="utf-8") as control:
                control.write("1")
        except OSError:
            # fusectl is not mounted, or this is not root. The connection also ends with the last process that has
            # the device open.
            self._signal(signal.SIGKILL)

    def close(self):
        try:
            if self.dir and find_mount(self.dir) is not None:
                self._unmount()
            if self.process:
                self._end_process()
        except BaseException:
            # Ended from outside in the middle of it: no process may stay behind, stopped or not.
            if self.process:
                self._signal(signal.SIGKILL)
            raise
        if self.dir and find_mount(self.dir) is None:
            os.rmdir(self.dir)
            self.dir = None
        if self.stderr:
            self.stderr.close()
            self.stderr = None

    def _unmount(self):
        if not self.aborted and self._umount_command(["umount", self.dir]):
            return
        self.abort()
        self._umount_command(["umount", "-l", self.dir])

    def _umount_command(self, words):
        if os.geteuid() != 0:
            words = ["fusermount3", "-u"] + [w.replace("-l", "-z") for w in words[1:]]
        try:
            child = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                     stderr=subprocess.DEVNULL)
        except OSError:
            return False
        try:
            return child.wait(UNMOUNT_TIMEOUT_S) == 0
        except subprocess.TimeoutExpired:
            # Not subprocess.run(), which waits without a limit for what it killed: a umount that waits for the
            # filesystem ends only when the connection is aborted.
            self.abort()
            end_child(child)
            return False

    def _signal(self, number):
        for pid in session_pids(self.process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def _end_process(self):
        # One that was aborted because it does not react is not asked twice.
        for ending in (None, signal.SIGKILL) if self.aborted else (None, signal.SIGTERM, signal.SIGKILL):
            if ending is not None:
                self._signal(ending)
            try:
                self.process.wait(EXIT_TIMEOUT_S)
                self._signal(signal.SIGKILL)  # what the command started and did not end itself
                return
            except subprocess.TimeoutExpired:
                pass
        print(f"bench: {self.name} does not end: pid={self.process.pid}", flush=True)
