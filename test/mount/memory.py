#!/usr/bin/env python3
"""What a mount costs that nobody uses: how much more memory the ring takes than the device, that no thread wakes up,
and that the ring gives the pages of large requests back soon after they were needed. test/bench/footprint shows the
numbers."""

import os
import subprocess
import time

from harness import check, claim, main, wait_until
from server import Mount

MIB_IN_KIB = 1024
RING_ABOVE_DEVICE_MIB = 8
GIVEN_BACK_WITHIN_SECONDS = 10
LEFT_MIB = 1              # above what it was before the burst
SETTLE_SECONDS = 2        # what the start leaves behind is done by then
WATCH_SECONDS = 5
SWITCHES = 5              # in WATCH_SECONDS, all threads together
BURST_CLIENTS = 8
BUFFER_KIB = 1100         # a request of 1 MiB, and a stack
TRANSPORTS = ("fuse_uring", "dev")


def status_of(path, key):
    """The number in a line of a `status` file of /proc."""
    with open(path, encoding="utf-8") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(key + ":"))


def memory_kib(mount, key="VmRSS"):
    return status_of(f"/proc/{mount.process.pid}/status", key)


def switches(mount):
    """{thread: how often it went on or off a CPU}"""
    folder = f"/proc/{mount.process.pid}/task"
    keys = ("voluntary_ctxt_switches", "nonvoluntary_ctxt_switches")
    return {tid: sum(status_of(f"{folder}/{tid}/status", key) for key in keys) for tid in os.listdir(folder)}


def stays_asleep(mounts):
    """No thread of these mounts wakes up while nobody asks anything."""
    before = [switches(mount) for mount in mounts]
    time.sleep(WATCH_SECONDS)
    for mount, then in zip(mounts, before):
        now = switches(mount)
        woke = {tid: count - then.get(tid, 0) for tid, count in now.items() if count != then.get(tid, 0)}
        check(sum(woke.values()) <= SWITCHES, f"{mount.transport}: context switches in {WATCH_SECONDS} s: {woke}")


def burst(mount, write):
    """Megabyte after megabyte from several processes at once."""
    where = [mount.path(f"f{i}") for i in range(BURST_CLIENTS)]
    words = [(["if=/dev/zero", f"of={path}", "conv=notrunc"] if write else [f"if={path}", "of=/dev/null"])
             for path in where]
    clients = [subprocess.Popen(["dd", *ends, "bs=1M", "count=300", "status=none"]) for ends in words]
    for client in clients:
        check(client.wait(60) == 0, "dd failed")


@claim()
def an_idle_ring_takes_little_more_memory_than_the_device():
    used = {}
    for transport in TRANSPORTS:
        with Mount("hello_ll", transport=transport) as mount:
            os.stat(mount.dir)
            time.sleep(SETTLE_SECONDS)
            used[transport] = memory_kib(mount)
    print(f"KiB: {used}")
    above = (used["fuse_uring"] - used["dev"]) / MIB_IN_KIB
    check(above <= RING_ABOVE_DEVICE_MIB, f"the ring takes {above:.1f} MiB more than the device")


@claim()
def an_idle_mount_wakes_nobody():
    with Mount("hello_ll", transport="fuse_uring") as ring, Mount("hello_ll", transport="dev") as device, \
            Mount("hello_ll", transport="fuse_uring", args=("-f", "-s")) as single:
        for mount in (ring, device, single):
            os.stat(mount.dir)
        time.sleep(SETTLE_SECONDS)
        stays_asleep([ring, device, single])


@claim()
def the_ring_gives_the_memory_of_large_requests_back():
    with Mount("null_ll", transport="fuse_uring") as mount:
        os.stat(mount.dir)
        before = memory_kib(mount)
        for write in (True, False):
            burst(mount, write)
        peak = memory_kib(mount, "VmHWM")
        print(f"ring, KiB: before={before} peak={peak} after={memory_kib(mount)}")
        check(peak - before > LEFT_MIB * MIB_IN_KIB, f"the burst took nothing: before={before} peak={peak}")
        wait_until(lambda: memory_kib(mount) - before <= LEFT_MIB * MIB_IN_KIB,
                   f"at most {LEFT_MIB} MiB more than the {before} KiB before the burst",
                   GIVEN_BACK_WITHIN_SECONDS)
        time.sleep(SETTLE_SECONDS)
        stays_asleep([mount])
        # The pages come again when they are needed again.
        burst(mount, True)


@claim()
def the_device_keeps_no_more_than_a_buffer_for_each_thread():
    with Mount("null_ll", transport="dev") as mount:
        os.stat(mount.dir)
        before = memory_kib(mount)
        for write in (True, False):
            burst(mount, write)
        kept, threads = memory_kib(mount) - before, mount.threads()
        print(f"dev, KiB: before={before} kept={kept} threads={threads}")
        check(kept <= (threads + LEFT_MIB) * BUFFER_KIB, f"kept={kept} KiB with {threads} threads")
        time.sleep(SETTLE_SECONDS)
        stays_asleep([mount])


if __name__ == "__main__":
    main()
