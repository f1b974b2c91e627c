#!/usr/bin/env python3
"""`ringfuse doctor` where the ring can be had and where it cannot. Changes settings of the whole machine for a moment."""

import json

from command import ringfuse
from harness import Changed, RING_PARAMETER, URING_DISABLED, check, claim, main, program, same

CHECKS = ("kernel", "device", "fuse.enable_uring", "io_uring_disabled", "io_uring", "fuse.max_pages_limit", "cpus", "memlock",
          "nofile", "fusermount3", "libfuse3", "ringfuse")


def doctor(wrapper=()):
    """{id: finding}; the exit code has to fit them. Mounts of others on this machine may be in a bad state."""
    printed, _ = ringfuse("doctor", "--json", wanted=None, wrapper=wrapper)
    result = json.loads(printed)
    broken = any(finding["verdict"] == "broken" for finding in result["checks"])
    same(result["healthy"], not broken, "healthy")
    ringfuse("doctor", wanted=1 if broken else 0, wrapper=wrapper)
    return {finding["id"]: finding for finding in result["checks"]}


def is_broken(findings, name, fix):
    same(findings[name]["verdict"], "broken", f"{findings[name]}: verdict")
    check(fix in (findings[name]["fix"] or ""), f"wanted {fix!r} in {findings[name]}")


@claim()
def everything_is_looked_at_and_the_ring_can_be_had():
    findings = doctor()
    for name in CHECKS:
        check(name in findings, f"no finding {name}: {list(findings)}")
    for name in ("kernel", "device", "fuse.enable_uring", "io_uring_disabled", "io_uring"):
        same(findings[name]["verdict"], "ok", f"{findings[name]}: verdict")
    rows = ringfuse("doctor", wanted=None)[0].splitlines()
    for name in CHECKS:
        check(any(row.split()[1] == name for row in rows), f"no line for {name} in {rows}")


@claim()
def the_switch_of_the_fuse_module():
    with Changed(RING_PARAMETER, "0"):
        is_broken(doctor(), "fuse.enable_uring", f"echo 1 > {RING_PARAMETER}")
        row = next(row for row in ringfuse("doctor", wanted=1)[0].splitlines() if "fuse.enable_uring" in row)
        check(row.startswith("broken") and row.endswith(f"fix: echo 1 > {RING_PARAMETER}"), row)
    same(doctor()["fuse.enable_uring"]["verdict"], "ok", "verdict afterwards")


@claim()
def the_sysctl_of_io_uring():
    with Changed(URING_DISABLED, "2"):
        findings = doctor()
        is_broken(findings, "io_uring_disabled", "sysctl kernel.io_uring_disabled=0")
        is_broken(findings, "io_uring", "sysctl kernel.io_uring_disabled=0")
    with Changed(URING_DISABLED, "1"):
        same(doctor()["io_uring_disabled"]["verdict"], "warning", "verdict for root")


@claim()
def seccomp_is_found_by_trying():
    for error in ("EPERM", "ENOSYS"):
        findings = doctor(wrapper=[program("refuse_syscall"), error])
        same(findings["io_uring_disabled"]["verdict"], "ok", "the sysctl's verdict")
        is_broken(findings, "io_uring", "io_uring_setup")


@claim()
def a_container_without_sys():
    findings = doctor(wrapper=["unshare", "--mount", "sh", "-c", 'mount -t tmpfs tmpfs /sys && exec "$@"', "sh"])
    for name in ("kernel", "cpus"):
        is_broken(findings, name, "mount -t sysfs -o ro sysfs /sys")
    check("/sys is not mounted" in findings["kernel"]["text"], f"{findings['kernel']}")


@claim()
def few_descriptors_are_a_warning():
    same(doctor(wrapper=["prlimit", "--nofile=40"])["nofile"]["verdict"], "warning", "verdict")


if __name__ == "__main__":
    main()
