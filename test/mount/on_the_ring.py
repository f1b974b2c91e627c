#!/usr/bin/env python3
"""Requests really travel the way that was asked for: by the library's own count, and by what strace sees the server do
with /dev/fuse. Over the device the same look must find one read per request, or it would prove nothing."""

import mmap
import os
import re

from harness import check, claim, main, new_directory, run, same, setup
from server import Mount

REQUESTS = 400
FUSE_READ = re.compile(r"\bread(?:v)?\(\d+</dev/fuse>.*= [1-9]")
FUSE_WRITE = re.compile(r"\bwrite(?:v)?\(\d+</dev/fuse>.*= [1-9]")
FIRST_READS = 8   # INIT and the few that come before the ring is ready


def ask(mount, times=REQUESTS):
    """That many READ requests: null_ll keeps nothing in the page cache."""
    fd = os.open(mount.path("f0"), os.O_RDONLY | os.O_DIRECT)
    with open(fd, "rb", buffering=0), mmap.mmap(-1, 4096) as page:
        for i in range(times):
            os.preadv(fd, [page], i * 4096)


def serve(args):
    with Mount("null_ll", args=args) as mount:
        ask(mount)
    transport, ring, device, queues, workers = mount.counts()
    same(transport, setup.transport, "transport")
    if transport == "fuse_uring":
        check(ring >= REQUESTS, f"ring_requests={ring}")
        check(device <= FIRST_READS, f"device_requests={device}")
        possible = 1 + int(open("/sys/devices/system/cpu/possible", encoding="ascii").read().rpartition("-")[2])
        same(queues, possible, "queues")
        check((workers == 0) == ("-s" in args), f"workers={workers}")
    else:
        same((ring, queues), (0, 0), "ring requests and queues")
        check(device >= REQUESTS, f"device_requests={device}")


@claim()
def the_library_counts_them_there():
    serve(("-f",))


@claim()
def with_one_thread_as_well():
    serve(("-f", "-s"))


def trace(args):
    """The lines strace writes about a server that answers REQUESTS reads."""
    # One file for each thread: in a common one, calls that overlap are split into two lines.
    output = new_directory("trace")
    wrapper = ["strace", "-ff", "-y", "-e", "trace=read,readv,write,writev,splice,io_uring_enter", "-o", f"{output}/thread"]
    # The leak check needs ptrace for itself.
    options = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
    with Mount("null_ll", args=args, wrapper=wrapper, env={"ASAN_OPTIONS": options.lstrip(":")}) as mount:
        ask(mount)
    same(mount.counts()[0], setup.transport, "transport")
    lines = []
    for name in os.listdir(output):
        with open(os.path.join(output, name), encoding="utf-8", errors="replace") as file:
            lines += file.read().splitlines()
    check(any("io_uring_enter" in line for line in lines) == (setup.transport == "fuse_uring"), "io_uring_enter seen?")
    return lines


def judge(lines):
    reads = sum(1 for line in lines if FUSE_READ.search(line))
    writes = sum(1 for line in lines if FUSE_WRITE.search(line))
    if setup.transport == "fuse_uring":
        check(reads <= FIRST_READS and writes <= FIRST_READS, f"/dev/fuse: reads={reads} writes={writes}")
    else:
        check(reads >= REQUESTS and writes >= REQUESTS, f"/dev/fuse: reads={reads} writes={writes}")


@claim(90)
def strace_sees_them_there():
    judge(trace(("-f",)))


@claim(90)
def strace_sees_them_there_with_one_thread():
    judge(trace(("-f", "-s")))


@claim()
def answers_from_other_threads_and_from_descriptors_travel_there():
    path = os.path.join(setup.work, "data")
    with open(path, "wb") as file:
        file.write(bytes(range(256)) * 4096)
    for options in ("reply_thread", f"reply_data_file={path}"):
        with Mount("null_ll", options) as mount:
            ask(mount)
            if "data" in options:
                with open(mount.path("f0"), "rb") as file:
                    same(file.read(4096), bytes(range(256)) * 16, "bytes from the descriptor")
        transport, ring, device, _, _ = mount.counts()
        same(transport, setup.transport, "transport")
        check((ring if transport == "fuse_uring" else device) >= REQUESTS, f"{options}: {ring} {device}")


@claim()
def requests_from_every_cpu_are_answered():
    with Mount("null_ll") as mount:
        for cpu in sorted(os.sched_getaffinity(0)):
            run("taskset", "-c", cpu, "dd", f"if={mount.path('f0')}", "of=/dev/null", "bs=64k", "count=50", "status=none")
    same(mount.counts()[0], setup.transport, "transport")


if __name__ == "__main__":
    main()
