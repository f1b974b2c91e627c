#!/usr/bin/env python3
"""The benchmark runner: a small comparison works and writes its results, every row can be measured, a variant that does
not mount is reported with what it printed, a filesystem that stops answering is got rid of, and nothing stays mounted.
usage: CLIENT NULL_LL"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
import mounts  # noqa: E402
import rows  # noqa: E402

RUN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "run")
FOOTPRINT = os.path.join(os.path.dirname(RUN), "footprint")
RUN_TIMEOUT_S = 150
SKIP = 77


def check(condition, claim, *seen):
    if not condition:
        print(f"FAILED: {claim}:", *seen, sep="\n")
        sys.exit(1)
    print(f"ok: {claim}", flush=True)


def bench_mounts():
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as table:
        return [line for line in table if "/bench-" in line]


def start(client, directory, *words):
    # Its temporary directories go below ours, so that what it leaves behind is seen.
    return subprocess.Popen([RUN, "--client", client, "--rounds", "2", "--seconds", "0.3", "--warmup", "0.1", *words],
                            env={**os.environ, "TMPDIR": directory}, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def finish(process):
    try:
        out, _ = process.communicate(timeout=RUN_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.terminate()
        out, _ = process.communicate(timeout=RUN_TIMEOUT_S)
        out += "\n(timed out)"
    return process.returncode, out


def leaves_nothing(directory, claim):
    left = [name for name in os.listdir(directory) if name.startswith("bench-")]
    check(not left and not [m for m in bench_mounts() if directory in m], claim, left, bench_mounts())


def compares_two_variants(client, null_ll, directory):
    path = os.path.join(directory, "out.json")
    code, out = finish(start(client, directory, "--variant", f"a='{null_ll}' -f",
                             "--variant", f"b='{null_ll}' -f -o clone_fd {{dir}}", "--cell", "fstat:1:pin",
                             "--cell", "read-4k:2", "--json", path))
    check(code == 0 and "b/a" in out, "two variants are compared", code, out)
    with open(path, encoding="utf-8") as file:
        written = json.load(file)
    medians = written["medians"]
    check(set(medians) == {"fstat x1 pinned", "read-4k x2"} and
          all(medians[cell][name]["ops_per_s"] > 0 for cell in medians for name in "ab"), "the JSON is whole", medians)
    check(all(len(written["raw"][cell][name]) == 2 for cell in medians for name in "ab"), "both rounds are in it")
    leaves_nothing(directory, "nothing is left after a comparison")


def reports_a_variant_that_does_not_mount(client, null_ll, directory):
    code, out = finish(start(client, directory, "--variant", f"good='{null_ll}' -f",
                             "--variant", f"bad='{null_ll}' -f -o no_such_option", "--cell", "fstat"))
    check(code == 1 and "no_such_option'" in out, "what a failing variant printed is shown", code, out)
    check("failed" in out and "k" in out, "the others are measured all the same", out)
    leaves_nothing(directory, "nothing is left after a failed mount")


def gets_rid_of_a_filesystem_that_stops_answering(client, null_ll, directory):
    bench = start(client, directory, "--variant", f"a='{null_ll}' -f", "--cell", "fstat", "--seconds", "2",
                  "--grace", "5")
    deadline = time.monotonic() + 20
    servers = []
    while not servers and time.monotonic() < deadline:
        time.sleep(0.5)
        servers = [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc")))
                   if is_server(pid, null_ll, directory)]
    check(len(servers) == 1, "the server is found", servers)
    os.kill(servers[0], signal.SIGSTOP)
    code, out = finish(bench)
    check(code == 1 and ("stuck" in out or "does not answer" in out), "a server that stops is noticed", code, out)
    check(mounts.read_stat(servers[0]) is None, "the server that stopped is gone")
    leaves_nothing(directory, "nothing is left after a server stopped")


def every_row_can_be_measured(client, directory, build):
    path = os.path.join(directory, "rows.json")
    code, out = finish(start(client, directory, "--build", build, "--only", rows.BASE, "--rounds", "1",
                             "--seconds", "0.05", "--warmup", "0", "--json", path))
    check(code == 0, "all rows run on the distribution's library", code, out)
    with open(path, encoding="utf-8") as file:
        written = json.load(file)["rows"]
    wanted = {name: {cell.label for cell in row.cells()} for name, row in rows.ALL.items()}
    check({name: set(found) for name, found in written.items()} == wanted, "each with its cells", written)
    check(all(found[label][rows.BASE][0]["errors"] == 0 for found in written.values() for label in found),
          "and without an error", written)
    leaves_nothing(directory, "nothing is left after the rows")


def memory_is_measured(build, directory):
    done = subprocess.run([FOOTPRINT, "--build", build, "--only", rows.BASE, "--idle", "1", "--quiet", "1"],
                          env={**os.environ, "TMPDIR": directory}, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=RUN_TIMEOUT_S, check=False)
    check(done.returncode == 0 and "RSS MiB 1.0 s after" in done.stdout, "memory is measured", done)
    leaves_nothing(directory, "nothing is left after the memory")


def is_server(pid, null_ll, directory):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            words = file.read().split(b"\0")
    except OSError:
        return False
    return words[0] == null_ll.encode() and any(word.startswith(directory.encode()) for word in words)


def main():
    client, null_ll = sys.argv[1:3]
    if not os.access(null_ll, os.X_OK):
        print(f"skipped: not built: {null_ll}")
        sys.exit(SKIP)
    if not os.access("/dev/fuse", os.R_OK | os.W_OK) or os.geteuid() != 0:
        print("skipped: needs root and /dev/fuse")
        sys.exit(SKIP)
    with tempfile.TemporaryDirectory(prefix="rf-run-") as directory:
        compares_two_variants(client, null_ll, directory)
        reports_a_variant_that_does_not_mount(client, null_ll, directory)
        gets_rid_of_a_filesystem_that_stops_answering(client, null_ll, directory)
        build = os.path.dirname(os.path.dirname(os.path.dirname(null_ll)))
        every_row_can_be_measured(client, directory, build)
        memory_is_measured(build, directory)


main()
