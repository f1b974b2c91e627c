#!/usr/bin/env python3
"""Reads what meson says about tests, for test/run.

    summary.py --suites < `meson introspect --tests`    names of all suites, one a line
    summary.py --targets DIR SUITE...                   what has to be built for them in build directory DIR, one a line
    summary.py LOG.json [--no-skips]                    one line of counts and every test that did not pass;
                                                        exit 1 if a test failed, none ran, or (with --no-skips)
                                                        one was skipped"""

import collections
import json
import os
import subprocess
import sys

PASSED = {"OK", "EXPECTEDFAIL"}


def print_suites():
    seen = {}
    for test in json.load(sys.stdin):
        for suite in test["suite"]:
            seen[suite.rpartition(":")[2]] = True
    print("\n".join(seen))


def print_targets(directory, suites):
    def introspect(what):
        return json.loads(subprocess.run(["meson", "introspect", directory, what], check=True, capture_output=True).stdout)

    files = {target["id"]: target["filename"][0] for target in introspect("--targets")}
    needed = {}
    for test in introspect("--tests"):
        if {suite.rpartition(":")[2] for suite in test["suite"]} & set(suites):
            needed.update((os.path.relpath(files[name], directory), True) for name in test["depends"])
    print("\n".join(needed))


def reason(test):
    """The last line a skipped test printed: by our rule it says why."""
    lines = (test.get("stdout") or test.get("stderr") or "").strip().splitlines()
    return f" ({lines[-1].strip()})" if lines else ""


def judge(path, skips_allowed):
    try:
        with open(path, encoding="utf-8") as log:
            tests = [json.loads(line) for line in log if line.strip()]
    except OSError as error:
        print(f"no results: {error.strerror}")
        return 1
    counts = collections.Counter(test["result"] for test in tests)
    print(", ".join(f"{count} {result}" for result, count in sorted(counts.items())) or "no test ran")
    bad = 0 if tests else 1
    for test in tests:
        name, result = test["name"].rpartition(" / ")[2], test["result"]
        if result == "SKIP":
            print(f"         skipped: {name}{reason(test)}")
            bad += not skips_allowed
        elif result not in PASSED:
            print(f"         {result.lower()}: {name}")
            bad += 1
    return 1 if bad else 0


if sys.argv[1:] == ["--suites"]:
    print_suites()
elif len(sys.argv) > 3 and sys.argv[1] == "--targets":
    print_targets(sys.argv[2], sys.argv[3:])
elif len(sys.argv) in (2, 3):
    sys.exit(judge(sys.argv[1], sys.argv[2:] != ["--no-skips"]))
else:
    sys.exit(__doc__)
