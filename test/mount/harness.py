"""What the scripts of this folder share: claims with deadlines, and the way a script ends. Filesystems are mounted by
server.py.

A script is a list of functions marked with @claim, run in order by main(). A claim that raises has failed, and the
script goes on with the next one. Every claim has a deadline: when it passes, the connections behind all mounts of the
claim are aborted, which sets free whoever waits for an answer (a process waiting for one cannot be killed before).

Exit 0: all held; 1: not; 77: this machine cannot run them (the last line says why).
$RINGFUSE_TEST_SECONDS: how long a claim that runs for some time does so (default 20)."""

import argparse
import functools
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
import traceback

RING_PARAMETER = "/sys/module/fuse/parameters/enable_uring"
URING_DISABLED = "/proc/sys/kernel/io_uring_disabled"
CONNECTIONS = "/sys/fs/fuse/connections"
KERNEL_COMPLAINTS = ("BUG:", "WARNING:", "INFO: task", "Oops", "general protection", "KASAN", "refcount_t:")
SKIPPED = 77
GRACE_SECONDS = 20
PRIVATE = "RINGFUSE_TEST_IN_NAMESPACE"
FUSE_RING_PROMISE = "ringfuse: serving over /dev/fuse: "


class Failed(Exception):
    """A claim does not hold; the text says what was seen."""


class Setup:
    """The command line, and what follows from it. Filled by main()."""

    build = source = work = transport = None
    seconds = 20
    sanitizer = ""   # "", "address" or "thread": what the filesystems were built with
    patience = 1     # factor for waits: instrumented programs are slower
    mounts = []      # servers of the claim that runs, see server.py


setup = Setup()
_claims = []


def claim(seconds=60):
    """Marks a function as a claim that must be through after so many seconds."""
    def mark(function):
        if function.__module__ == "__main__":   # not what a script imports from another
            _claims.append((function, seconds))
        return function
    return mark


def check(condition, message):
    if not condition:
        raise Failed(message)


def same(got, wanted, what):
    check(got == wanted, f"{what}: got {got!r}, wanted {wanted!r}")


def fails_with(number, function, *arguments, **named):
    """The call must fail with this errno."""
    try:
        result = function(*arguments, **named)
    except OSError as error:
        same(os.strerror(error.errno), os.strerror(number), f"errno of {function.__name__}{arguments}")
        return
    raise Failed(f"{function.__name__}{arguments} gave {result!r}, wanted {os.strerror(number)}")


def wait_until(condition, what, seconds=15):
    """Polls until the condition holds; returns what it returned."""
    deadline = time.monotonic() + seconds * setup.patience
    while True:
        value = condition()
        if value:
            return value
        check(time.monotonic() < deadline, f"not within {seconds * setup.patience} s: {what}")
        time.sleep(0.02)


def run(*words, cwd=None, wanted=0, env=None, seconds=120):
    """Runs a program to its end and returns what it printed. The exit code must be the wanted one (None: any)."""
    words = [str(word) for word in words]
    ended = subprocess.run(words, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, text=True, errors="replace", check=False,
                           timeout=seconds * setup.patience)
    if wanted is not None and ended.returncode != wanted:
        raise Failed(f"{' '.join(words)}: exit {ended.returncode}, wanted {wanted}\n{ended.stdout[-4000:]}")
    return ended.stdout


def as_user(user, *words, **how):
    """The same under another account."""
    return run("setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", *words, **how)


def read_line(path):
    with open(path, encoding="utf-8") as file:
        return file.readline().strip()


def write_line(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


class Changed:
    """Another value in a file of /proc or /sys while the block runs; the old one comes back on every way out."""

    def __init__(self, path, value):
        self.path, self.value = path, value

    def __enter__(self):
        self.old = read_line(self.path)
        write_line(self.path, self.value)

    def __exit__(self, *exc):
        write_line(self.path, self.old)


def new_directory(name="dir", owner=None):
    """A directory of its own; like everything in setup.work it goes away at the end."""
    path = tempfile.mkdtemp(prefix=name + "-", dir=setup.work)
    os.chmod(path, 0o755)
    if owner is not None:
        os.chown(path, owner.pw_uid, owner.pw_gid)
    return path


@functools.lru_cache(maxsize=None)
def plain_user():
    """An account without privileges that nobody works under just now: RLIMIT_NPROC counts all its tasks."""
    busy = {int(uid) for uid in run("ps", "-e", "-o", "ruid=").split()}
    for name in ("games", "irc", "backup", "news", "nobody"):
        try:
            account = pwd.getpwnam(name)
        except KeyError:
            continue
        if account.pw_uid not in busy:
            return account
    raise Failed("no account without running processes was found")


def program(name):
    """A test filesystem (…_ll) or a client of the build."""
    for folder in ("fs", "client", "mount"):
        path = os.path.join(setup.build, "test", folder, name)
        if os.path.exists(path):
            return path
    raise Failed(f"not built: {name}")


def _kernel_log():
    return subprocess.run(["dmesg"], stdout=subprocess.PIPE, text=True, errors="replace", check=True).stdout.splitlines()


def _kernel_complaints(before):
    """Complaints that were not there before; every line begins with its time."""
    return [line for line in _kernel_log() if line not in before and any(word in line for word in KERNEL_COMPLAINTS)]


class _Deadline:
    """Aborts the mounts of a claim that does not end; ends the script if that does not help either."""

    def __init__(self, name, seconds):
        self.name, self.seconds, self.passed = name, seconds, False
        self.timer = threading.Timer(seconds, self._pass)
        self.timer.daemon = True

    def _pass(self):
        self.passed = True
        print(f"deadline of {self.seconds} s passed: {self.name}, aborting its mounts", flush=True)
        for mount in list(setup.mounts):
            mount.break_down()
        time.sleep(GRACE_SECONDS)
        print(f"FAILED {self.name}: does not even end after the abort", flush=True)
        _break_down_all()
        os._exit(1)

    def __enter__(self):
        self.timer.start()
        return self

    def __exit__(self, *exc):
        self.timer.cancel()


def _run_claim(function, seconds):
    begin = time.monotonic()
    name = function.__name__
    setup.mounts.clear()
    complaint = ""
    with _Deadline(name, seconds * setup.patience) as deadline:
        try:
            function()
        except Exception:
            complaint = traceback.format_exc()
        for mount in list(setup.mounts):
            mount.break_down()
    if deadline.passed and not complaint:
        complaint = "its deadline passed"
    print(f"{'FAILED' if complaint else 'ok    '} {name} ({time.monotonic() - begin:.1f} s)", flush=True)
    if complaint:
        print(complaint, flush=True)
    return not complaint


def _parse(arguments):
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--source", required=True)
    parser.add_argument("--sanitize", default="none")
    parser.add_argument("--transport", choices=("fuse_uring", "dev", "dev_uring"))
    parser.add_argument("claims", nargs="*", help="only these")
    parsed = parser.parse_args(arguments)
    setup.build, setup.source = os.path.realpath(parsed.build), os.path.realpath(parsed.source)
    setup.transport = parsed.transport
    setup.sanitizer = next((word for word in ("thread", "address") if word in parsed.sanitize), "")
    setup.patience = {"": 1, "address": 3, "thread": 5}[setup.sanitizer]
    setup.seconds = int(os.environ.get("RINGFUSE_TEST_SECONDS", "20"))
    return parsed.claims


def _skip_reason():
    if os.geteuid() != 0:
        return "only root can mount and change the limits"
    if not os.path.exists("/dev/fuse"):
        return "no /dev/fuse here"
    if setup.transport not in ("dev", "dev_uring") and not os.path.exists(RING_PARAMETER):
        return f"kernel {os.uname().release} has no FUSE_IO_URING: {RING_PARAMETER} does not exist"
    return ""


def _enter_namespace():
    """Starts the script again with a mount table of its own, which nothing outlives."""
    if PRIVATE not in os.environ:
        os.environ[PRIVATE] = "1"
        sys.stdout.flush()
        os.execvp("unshare", ["unshare", "--mount", "--propagation", "private", sys.executable, *sys.argv])


def _open_device_to_users():
    """/dev/fuse for everybody, in this mount table only."""
    folder = os.path.join(setup.work, "dev")
    os.mkdir(folder)
    run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", folder)
    node = os.path.join(folder, "fuse")
    os.mknod(node, stat.S_IFCHR | 0o666, os.stat("/dev/fuse").st_rdev)
    os.chmod(node, 0o666)
    run("mount", "--bind", node, "/dev/fuse")
    run("umount", "-l", folder)


def _break_down_all():
    for mount in list(setup.mounts):
        mount.break_down()
    shutil.rmtree(setup.work, ignore_errors=True)


def _on_sigterm(*_):
    print("ended from outside, taking the mounts away", flush=True)
    _break_down_all()
    os._exit(1)


def main():
    """Runs the claims of the script and exits."""
    names = _parse(sys.argv[1:])
    if reason := _skip_reason():
        print(f"skipped: {reason}")
        sys.exit(SKIPPED)
    _enter_namespace()
    if setup.transport not in ("dev", "dev_uring") and read_line(RING_PARAMETER) != "Y":
        write_line(RING_PARAMETER, "1")
    if not os.path.ismount(CONNECTIONS):
        run("mount", "-t", "fusectl", "fusectl", CONNECTIONS)
    kernel_log = set(_kernel_log())
    setup.work = os.path.realpath(tempfile.mkdtemp(prefix="ringfuse-mount-"))
    os.chmod(setup.work, 0o755)
    _open_device_to_users()
    signal.signal(signal.SIGTERM, _on_sigterm)
    chosen = [pair for pair in _claims if not names or pair[0].__name__ in names]
    bad = sum(not _run_claim(*pair) for pair in chosen)
    _break_down_all()
    for line in _kernel_complaints(kernel_log):
        print(f"FAILED the kernel complained: {line}")
        bad += 1
    sys.exit(1 if bad or not chosen else 0)
