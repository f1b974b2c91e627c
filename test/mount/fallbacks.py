#!/usr/bin/env python3
"""What happens where the ring cannot be had. Left to choose, the library serves over /dev/fuse and says why, once;
told to use the ring, it refuses with the reason and the remedy, and nothing is mounted.

These claims change settings of the whole machine for a moment."""

import os
import subprocess
import time

from harness import (CONNECTIONS, Changed, FUSE_RING_PROMISE, RING_PARAMETER, URING_DISABLED, as_user, check, claim,
                     main, plain_user, program, run, same, setup)
from hello import TEXT, expect_hello
from server import Mount, refused


def falls_back(reason, options="", **how):
    """transport=auto: works over the device, with one line that holds the reason."""
    user = how.get("user")
    with Mount("hello_ll", options, transport="auto", **how) as mount:
        for _ in range(2):
            if user:   # root is shut out
                same(as_user(user, "cat", mount.path("hello")), TEXT, "text")
            else:
                expect_hello(mount.dir)
    transport, ring, device, _, _ = mount.counts()
    same((transport, ring), ("dev", 0), "transport and requests over the ring")
    check(device > 4, f"device_requests={device}")
    lines = [line for line in mount.log().splitlines() if line.startswith(FUSE_RING_PROMISE)]
    same(len(lines), 1, f"lines that give the reason in:\n{mount.log()}\nnumber")
    check(reason in lines[0] and "remedy:" in lines[0], f"wanted {reason!r} and a remedy in: {lines[0]}")


def is_refused(reason, options="", **how):
    """transport=fuse_uring: an error that holds the reason and the remedy."""
    printed = refused("hello_ll", options, transport="fuse_uring", **how)
    lines = [line for line in printed.splitlines() if line.startswith("transport=fuse_uring cannot run: ")]
    same(len(lines), 1, f"lines that give the reason in:\n{printed}\nnumber")
    check(reason in lines[0] and "remedy:" in lines[0], f"wanted {reason!r} and a remedy in: {lines[0]}")


@claim()
def ring_switched_off_in_the_fuse_module():
    with Changed(RING_PARAMETER, "0"):
        falls_back("fuse.enable_uring=N")
        is_refused("fuse.enable_uring=N")


@claim()
def io_uring_switched_off_by_sysctl():
    for value in ("2", "1"):
        with Changed(URING_DISABLED, value):
            if value == "2":
                falls_back("kernel.io_uring_disabled=2")
                is_refused("kernel.io_uring_disabled=2")
            else:
                user = plain_user()   # 1 stops only those without CAP_SYS_ADMIN
                falls_back("kernel.io_uring_disabled=1", user=user)
                is_refused("kernel.io_uring_disabled=1", user=user)


def under_seccomp(error, reason):
    wrapper = [program("refuse_syscall"), error]
    falls_back(reason, wrapper=wrapper)
    is_refused(reason, wrapper=wrapper)


@claim()
def io_uring_refused_by_seccomp_with_eperm():
    under_seccomp("EPERM", "refused by a security policy (seccomp or LSM)")


@claim()
def io_uring_refused_by_seccomp_with_enosys():
    under_seccomp("ENOSYS", "missing or refused by seccomp")


@claim()
def too_few_descriptors():
    with Mount("hello_ll", transport="dev") as mount:
        expect_hello(mount.dir)
        highest = mount.open_fds()[-1]
    # Room for what the device needs and three more; the rings want two for each of at least two threads.
    wrapper = ["prlimit", f"--nofile={highest + 4}"]
    falls_back("RLIMIT_NOFILE", wrapper=wrapper)
    is_refused("RLIMIT_NOFILE", wrapper=wrapper)


@claim()
def too_few_processes():
    user = plain_user()
    # The main thread, one that reads the device, one for a sanitizer; the rings want two more for each CPU.
    limit = 2 + (1 if setup.sanitizer == "thread" else 0) + 1
    wrapper = ["prlimit", f"--nproc={limit}"]
    falls_back("RLIMIT_NPROC", user=user, wrapper=wrapper)
    is_refused("RLIMIT_NPROC", user=user, wrapper=wrapper)


@claim()
def too_little_address_space():
    if setup.sanitizer:
        print("sanitizers reserve terabytes of address space, so RLIMIT_AS is tried in the plain build only")
        return
    # Program and device readers need less; the rings' threads want a stack of 8 MiB each.
    wrapper = ["prlimit", f"--as={40 << 20}"]
    falls_back("RLIMIT_AS", wrapper=wrapper)
    is_refused("RLIMIT_AS", wrapper=wrapper)


class WithoutSys:
    """A /sys in which there is nothing but the files that abort mounts, for this script and what it starts."""

    def __enter__(self):
        run("mount", "-t", "tmpfs", "tmpfs", "/sys")
        os.makedirs(CONNECTIONS)
        run("mount", "-t", "fusectl", "fusectl", CONNECTIONS)

    def __exit__(self, *exc):
        run("umount", "-R", "/sys")


@claim()
def a_container_without_sys():
    with WithoutSys():
        falls_back("/sys is not mounted")
        is_refused("/sys is not mounted")


# Wherever within the set-up the memory ends: before the reply to INIT or after it.
@claim()
def address_space_that_ends_during_the_set_up():
    if setup.sanitizer:
        print("sanitizers reserve terabytes of address space, so RLIMIT_AS is tried in the plain build only")
        return
    for quarters in (*range(24 * 4, 48 * 4, 32), *range(48 * 4, 64 * 4)):
        with Mount("hello_ll", transport="auto", wrapper=["prlimit", f"--as={quarters << 18}"]) as mount:
            expect_hello(mount.dir)


@claim()
def max_threads_limits_the_handlers_and_not_the_choice():
    with Mount("null_ll", "max_threads=2,sleep_us=300000", transport="auto") as mount:
        begin = time.monotonic()
        clients = [subprocess.Popen(["dd", f"if={mount.path('sleepy')}", "of=/dev/null", "bs=4k", "count=1", "iflag=direct",
                                     "status=none"]) for _ in range(6)]
        same([client.wait(20 * setup.patience) for client in clients], [0] * 6, "exit codes of the clients")
        took = time.monotonic() - begin
        check(took >= 0.9, f"6 handlers of 0.3 s, 2 at a time, took {took:.2f} s")
    same(mount.counts()[0], "fuse_uring", "transport")


@claim()
def the_device_chosen_by_name_gives_no_reason():
    for env, options in ((None, ""), ({"RINGFUSE_TRANSPORT": "dev"}, "transport=auto"), ({"RINGFUSE_DISABLE": "1"}, "")):
        with Mount("hello_ll", options, transport="" if env else "dev", env=env) as mount:
            expect_hello(mount.dir)
        same(mount.counts()[0], "dev", "transport")
        check(FUSE_RING_PROMISE not in mount.log(), f"a reason though nothing was refused:\n{mount.log()}")


@claim()
def without_a_word_the_ring_is_used():
    with Mount("hello_ll", transport="") as mount:
        expect_hello(mount.dir)
    same(mount.counts()[0], "fuse_uring", f"transport; log:\n{mount.log()}\n")


@claim()
def the_words_of_libfuse_choose_the_ring_and_its_depth():
    with Mount("hello_ll", "io_uring,io_uring_q_depth=3", transport="") as mount:
        expect_hello(mount.dir)
    same(mount.counts()[0], "fuse_uring", "transport")
    with Mount("hello_ll", transport="", env={"FUSE_URING_ENABLE": "1", "FUSE_URING_QUEUE_DEPTH": "2"}) as mount:
        expect_hello(mount.dir)
    same(mount.counts()[0], "fuse_uring", "transport")


if __name__ == "__main__":
    main()
