#!/usr/bin/env python3
"""`ringfuse status`, `top` and `abort` on mounts that are well, whose handler hangs, and whose process is stopped."""

import errno
import json
import os
import shutil
import signal
import subprocess

from command import operation, ringfuse, ringfuse_path, session_at, wait_pending
from harness import as_user, check, claim, fails_with, main, plain_user, same, setup, wait_until
from server import Mount, find_mount

HANG_US = 3_000_000   # a handler of the file "sleepy" takes that long


def hanging_client(mount):
    """A process that waits for the filesystem."""
    return subprocess.Popen(["stat", mount.path("sleepy")], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL)


def ends(client, what):
    """The client is set free; its exit code."""
    try:
        return client.wait(30 * setup.patience)
    except subprocess.TimeoutExpired:
        check(False, f"the client still waits: {what}")
        return None


@claim()
def a_healthy_mount_is_described():
    with Mount("null_ll") as mount:
        with open(mount.path("f0"), "rb") as file:
            same(len(file.read(100_000)), 100_000, "bytes read")
        fails_with(errno.ENOENT, os.stat, mount.path("missing"))
        session = session_at(mount.dir)
        same(session["pid"], mount.process.pid, "pid")
        same(session["connection"], mount.connection, "connection")
        same((session["transport"], session["reason"], session["state"]), (setup.transport, "asked for", "serving"),
             "transport, reason, state")
        ring = setup.transport == "fuse_uring"
        same(session["nr_queues"] > 0, ring, "ring queues in use")
        same(session["ring_threads"] > 0, ring, "threads for the ring")
        check(session["device_threads"] >= 1, f"device_threads={session['device_threads']}")
        same((session["in_flight"], session["pending"], session["fallbacks"]), (0, [], 0), "in flight, pending, fallbacks")
        check(session["resident_bytes"] > 100_000, f"resident_bytes={session['resident_bytes']}")
        check(session["bytes_out"] > 100_000, f"bytes_out={session['bytes_out']}")
        read = operation(session, "READ")
        check(read["requests"] == read["answers"] > 0, f"READ: {read}")
        same(sum(step["answers"] for step in read["histogram"]), read["answers"], "answers in the histogram")
        check(0 < read["median_ns"] <= read["p99_ns"] < 60e9, f"READ: {read}")
        check(operation(session, "LOOKUP")["errors"] >= 1, "the failed lookup is counted")
        printed = ringfuse("status", "--pid", mount.process.pid)[0]
        for word in (mount.dir, f"transport    {setup.transport} (asked for)", "max_background=", "READ", "oldest       none"):
            check(word in printed, f"no {word!r} in:\n{printed}")


@claim()
def more_is_counted_with_every_look():
    with Mount("null_ll") as mount:
        before = operation(session_at(mount.dir), "GETATTR")
        for _ in range(500):
            os.stat(mount.dir)
            os.stat(mount.path("f1"))
        after = operation(session_at(mount.dir), "GETATTR")
        check(after["requests"] >= (before["requests"] if before else 0) + 500, f"before {before}, after {after}")


@claim()
def sessions_without_a_mount_are_not_found():
    for words in (("--pid", 1), (setup.work,), (os.path.join(setup.work, "nothing"),)):
        printed, said = ringfuse("status", *words, wanted=1)
        same(printed, "", "standard output")
        check(said.startswith("ringfuse: "), said)
    ringfuse("top", "--looks", 1, setup.work, wanted=1)
    ringfuse("status", "--pid", -3, wanted=2)
    ringfuse("no-such-word", wanted=2)


@claim()
def a_hanging_handler_shows_and_abort_ends_the_mount():
    with Mount("null_ll", f"sleep_us={HANG_US}") as mount:
        client = hanging_client(mount)
        session = wait_pending(mount.dir, "LOOKUP", age_ns=0.5e9)
        oldest = session["pending"][0]
        same(oldest["caller_pid"], client.pid, "who waits")
        same(session["in_flight"], 1, "in flight")
        same(session["kernel_waiting"], 1, "waiting in the kernel")
        queues = [queue["in_flight"] for queue in session["queues"]]
        same(sum(queues), 1 if setup.transport == "fuse_uring" else 0, f"in flight on queues {queues}")
        check("oldest       LOOKUP for " in ringfuse("status", mount.dir)[0], "status does not name the oldest request")
        check("LOOKUP " in ringfuse("top", "--looks", 1, "--interval", 0.1, mount.dir)[0], "nor does top")
        printed, _ = ringfuse("abort", "--yes", "--json", mount.dir)
        result = json.loads(printed)
        same((result["aborted"], result["unmounted"], result["connection"]), (True, True, mount.connection), "result")
        check(mount.process.pid in result["servers"], f"servers: {result['servers']}")
        same(ends(client, "after the abort") != 0, True, "the client got an error")
        check(not find_mount(mount.dir), "still mounted")


@claim()
def a_stopped_process_is_seen_and_its_mount_ended():
    with Mount("null_ll") as mount:
        os.stat(mount.path("f1"))
        os.kill(mount.process.pid, signal.SIGSTOP)
        wait_until(lambda: session_at(mount.dir)["process_state"] == "T", "the process is stopped")
        client = subprocess.Popen(["stat", mount.path("f0")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        session = wait_until(lambda: (s := session_at(mount.dir))["kernel_waiting"] and s, "a request waits")
        same((session["process_state"], session["state"]), ("T", "serving"), "state")
        same(session["transport"], setup.transport, "transport")
        check(f"kill -CONT {mount.process.pid}" in ringfuse("status", mount.dir)[0], "status does not say what helps")
        rows = ringfuse("top", "--looks", 1, "--interval", 0.1, mount.dir)[0].splitlines()
        check(any(row.startswith("T ") and mount.dir in row for row in rows), "\n".join(rows))
        findings = json.loads(ringfuse("doctor", "--json", wanted=None)[0])["checks"]
        check(any(f"{mount.dir}: its process" in finding["text"] for finding in findings), "doctor does not see it")
        said = ringfuse("abort", "--yes", mount.dir)[0]
        check(f"kill -CONT {mount.process.pid}" in said, said)
        check(not find_mount(mount.dir), "still mounted")
        same(session_at_pid(mount.process.pid)["mounted_here"], False, "mounted")
        # Over the ring the kernel ends the request only on the thread that was to take it.
        if setup.transport == "dev":
            ends(client, "after the abort")
        os.kill(mount.process.pid, signal.SIGCONT)
        ends(client, "after the process went on")


def session_at_pid(pid):
    return json.loads(ringfuse("status", "--json", "--pid", pid)[0])["sessions"][0]


@claim()
def abort_asks_first():
    with Mount("null_ll") as mount:
        _, said = ringfuse("abort", mount.dir, wanted=1)
        check("--yes" in said, said)
        same(answered(mount.dir, "n\n"), 1, "exit code after 'n'")
        same(os.stat(mount.path("f0")).st_size, 1 << 30, "size: it still serves")
        same(answered(mount.dir, "y\n"), 0, "exit code after 'y'")
        check(not find_mount(mount.dir), "still mounted")
    _, said = ringfuse("abort", "--yes", setup.work, wanted=1)
    check("no FUSE filesystem" in said, said)


def answered(directory, text):
    """Exit code of `abort` with this typed at its question."""
    ours, theirs = os.openpty()
    try:
        os.write(ours, text.encode())
        process = subprocess.Popen([ringfuse_path(), "abort", directory], stdin=theirs, stdout=subprocess.PIPE, text=True)
        printed = process.communicate(timeout=30 * setup.patience)[0]
        check("[y/N]" in printed and directory in printed, printed)
        return process.returncode
    finally:
        os.close(ours)
        os.close(theirs)


@claim()
def a_dead_mount_that_is_kept_is_found_by_doctor():
    mount = Mount("null_ll")
    with mount:
        ringfuse("abort", "--yes", "--keep", mount.dir)
        mount.process.wait(20 * setup.patience)
        check(find_mount(mount.dir), "not kept")
        fails_with(errno.ENOTCONN, os.stat, mount.path("f0"))
        printed, _ = ringfuse("doctor", wanted=1)
        row = next((row for row in printed.splitlines() if mount.dir in row), "")
        check(row.startswith("broken") and f"fix: umount -l {mount.dir}" in row, printed)
        subprocess.run(["umount", "-l", mount.dir], check=True)


@claim()
def another_user_sees_nothing():
    copy = os.path.join(setup.work, "ringfuse-copy")
    shutil.copy(ringfuse_path(), copy)
    with Mount("null_ll") as mount:
        printed = as_user(plain_user(), copy, "status", "--json")   # with what it said on standard error
        facts = next(line for line in printed.splitlines() if line.startswith("{"))
        same(json.loads(facts)["sessions"], [], "sessions")
        as_user(plain_user(), copy, "status", mount.dir, wanted=1)
        as_user(plain_user(), copy, "abort", "--yes", mount.dir, wanted=1)
        same(os.stat(mount.path("f0")).st_size, 1 << 30, "size: it still serves")


@claim()
def a_killed_process_leaves_no_statistics():
    with Mount("null_ll", code=-signal.SIGKILL) as mount:
        pid = mount.process.pid
        check(session_at(mount.dir)["pid"] == pid, "not found before")
        mount.process.kill()
        mount.process.wait(20)
        ringfuse("status", "--pid", pid, wanted=1)
        subprocess.run(["umount", "-l", mount.dir], check=True)


@claim()
def top_gives_rates():
    with Mount("null_ll") as mount:
        client = subprocess.Popen(["sh", "-c", f"while stat {mount.path('f2')}; do :; done"], stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL)
        try:
            lines = ringfuse("top", "--json", "--looks", 3, "--interval", 0.5, mount.dir)[0].splitlines()
            rows = [json.loads(line) for line in lines if line]
            same(len(rows), 3, "looks")
            last = rows[-1]["sessions"][0]
            check(last["requests_per_s"] > 5 and last["operations_per_s"], f"{last}")
            check(0 < last["median_ns"] <= last["p99_ns"], f"{last}")
            check("REQ/S" in ringfuse("top", "--looks", 1, "--interval", 0.2)[0], "no table")
        finally:
            client.kill()
            client.wait()


@claim()
def switched_off_there_is_nothing_to_see():
    with Mount("null_ll", env={"RINGFUSE_STATISTICS": "0"}) as mount:
        same(os.stat(mount.path("f0")).st_size, 1 << 30, "size")
        _, said = ringfuse("status", mount.dir, wanted=1)
        check("not over ringfuse" in said, said)


if __name__ == "__main__":
    main()
