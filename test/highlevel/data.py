#!/usr/bin/env python3
"""Bytes and names survive: trees written and read back, files held against a model by several processes, mapped memory."""

from hl import NO_TIMEOUTS, is_reference, mounted
from harness import check, claim, main, new_directory, program, run, same, setup

VARIANTS = (("hl_memfs", "use_ino", ("-f",)), ("hl_memfs", "direct_io,plain_io,no_offsets", ("-f", "-s")),
            ("hl_passthrough", "", ("-f",)))


def options_of(name, options):
    source = f"source={new_directory('source')}" if name == "hl_passthrough" else ""
    return ",".join(filter(None, [NO_TIMEOUTS, options, source]))


@claim(90)
def a_tree_is_as_it_was_written():
    for name, options, args in VARIANTS:
        with mounted(name, options_of(name, options), args=args) as mount:
            run(program("tree_check"), "-S", 4, "-n", 300, "make", mount.dir)
            run(program("tree_check"), "-S", 4, "-n", 300, "verify", mount.dir)


@claim(90)
def files_are_as_the_model_says():
    for name, options, args in VARIANTS:
        with mounted(name, options_of(name, options), args=args) as mount:
            run(program("fsx_check"), "-n", 100 * setup.seconds, "-S", 8, "-p", 3, mount.dir)


@claim()
def requests_come_over_the_transport_that_was_asked_for():
    if is_reference():
        return   # says nothing of transports
    for args in (("-f",), ("-f", "-s")):
        with mounted("hl_memfs", args=args) as mount:
            run(program("tree_check"), "-S", 4, "-n", 50, "make", mount.dir)
        transport, ring, device, _, _ = mount.counts()
        same(transport, setup.transport, f"transport with {args}")
        served, other = (ring, device) if transport == "fuse_uring" else (device, ring)
        check(served > 300 and other < served // 4, f"requests: ring={ring} device={device}")


if __name__ == "__main__":
    main()
