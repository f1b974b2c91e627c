#!/usr/bin/env python3
"""The benchmark client on an ordinary directory: every workload works, and failures are seen. usage: CLIENT"""

import json
import os
import subprocess
import sys
import tempfile

FILE_BYTES = 80 << 20  # more than a workload walks through
RUN_TIMEOUT_S = 60
WORKLOADS = ["fstat", "lookup", "openclose", "create", "readdir", "readdirplus", "read-4k", "read-128k", "read-1m",
             "write-4k", "write-128k", "write-1m", "seqread-1m", "read-buffered", "victim"]


def run(client, directory, workload, *more):
    words = [client, "--dir", directory, "--workload", workload, "--seconds", "0.1", "--warmup", "0.05", *more]
    done = subprocess.run(words, capture_output=True, text=True, timeout=RUN_TIMEOUT_S, check=False)
    return done.returncode, json.loads(done.stdout) if done.stdout else None, done.stderr


def check(condition, claim, *seen):
    if not condition:
        print(f"FAILED: {claim}: {seen}")
        sys.exit(1)
    print(f"ok: {claim}")


def fill(directory):
    for name in ("f0", "f1", "f2", "sleepy"):
        with open(os.path.join(directory, name), "wb") as file:
            file.truncate(FILE_BYTES)


def every_workload_counts_operations(client, directory):
    before = sorted(os.listdir(directory))
    for workload in WORKLOADS:
        code, result, err = run(client, directory, workload, "--clients", "2", "--pin")
        check(code == 0 and result["ops"] > 0 and result["errors"] == 0, f"{workload} runs", code, result, err)
        check(result["total_steps"] >= result["ops"] and result["ops_per_s"] > 0, f"{workload} adds up", result)
        check(0 <= result["p50_us"] <= result["p99_us"] <= result["max_us"], f"{workload} is ordered", result)
        check(result["clients"] == 2 and result["workload"] == workload, f"{workload} says what it did", result)
        check((result["bytes_per_op"] > 0) == (workload.startswith(("read-", "write-", "seqread-"))),
              f"{workload} knows its bytes", result)
    check(sorted(os.listdir(directory)) == before, "nothing is left behind", os.listdir(directory))


def failures_are_reported(client, directory):
    code, result, err = run(client, directory, "bogus")
    check(code == 2 and result is None and "bogus" in err, "an unknown workload is refused", code, result, err)
    code, result, err = run(client, directory, "fstat", "--clients", "0")
    check(code == 2 and result is None, "no clients at all is refused", code, result, err)
    code, result, err = run(client, os.path.join(directory, "absent"), "fstat")
    check(code == 1 and result is None and "ENOENT" in err, "a missing file ends the run", code, result, err)
    code, result, err = run(client, directory, "fstat", "--pin-cpu", "1000")
    check(code == 1 and "pin" in err, "a CPU that does not exist ends the run", code, result, err)
    for name in ("f0", "missing-0"):
        with open(os.path.join(directory, name), "wb"):
            pass
    for workload, error in (("read-4k", "EIO"), ("seqread-4k", "EIO"), ("read-buffered", "EFAULT"),
                            ("lookup", "EEXIST")):
        code, result, err = run(client, directory, workload)
        check(code == 1 and result["errors"] >= result["ops"] > 0 and result["first_error"] == error,
              f"{workload} counts operations that fail", code, result, err)


def main():
    client = sys.argv[1]
    with tempfile.TemporaryDirectory(prefix="bench-client-") as directory:
        fill(directory)
        every_workload_counts_operations(client, directory)
        failures_are_reported(client, directory)


main()
