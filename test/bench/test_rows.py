#!/usr/bin/env python3
"""The rows of the benchmark and how they are judged, on made-up results: needs no mount. usage: CLIENT"""

import importlib.machinery
import importlib.util
import json
import os
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import rows  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
RUN_TIMEOUT_S = 60
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def check(condition, claim, *seen):
    if not condition:
        print(f"FAILED: {claim}:", *seen, sep="\n")
        sys.exit(1)
    print(f"ok: {claim}", flush=True)


def results(*ops):
    return [{"ops_per_s": rate, "p50_us": 1.0, "p99_us": 2.0, "max_us": 3.0, "client_cpu_s_per_op": 1e-6,
             "server_cpu_us_per_op": 1.0} for rate in ops]


def fstat_1(ring, device):
    """Results of the row fstat-1, as factors of libfuse3."""
    return {"fstat x1 pinned": {"ring": results(ring * 100, ring * 300, ring * 200),
                                "device": results(device * 100, device * 300, device * 200),
                                "libfuse3": results(100, 300, 200)}}


def verdicts_follow_the_bounds():
    row = rows.ALL["fstat-1"]
    for factor, word in ((row.must - 0.01, "MISSED"), (row.must + 0.01, "must"), (row.aim + 0.01, "aim")):
        found = rows.verdicts(row, fstat_1(factor, 1.05))
        check(found == {"ring": word, "device": "must"}, f"{factor:.2f}x is {word}", found)
    found = rows.verdicts(row, fstat_1(3.0, 0.9))
    check(found["device"] == "MISSED", "the device has a floor of its own", found)
    free = rows.ALL["lookup-1"]
    raw = {free.cell.label: fstat_1(0.1, 1.0)["fstat x1 pinned"]}
    check(rows.verdicts(free, raw)["ring"] == "", "a row without a floor is not judged")


def ratios_belong_to_one_round():
    raw = {"fstat x1 pinned": {"ring": results(100, 900), "device": [], "libfuse3": results(50, 300)}}
    found = rows.ratios(rows.ALL["fstat-1"], raw)
    check(found["ring"] == (2.5, 2.0, 3.0), "each round has its ratio", found)
    check(found["device"] is None, "a variant that failed has none", found)


def the_victim_is_compared_with_itself():
    row = rows.ALL["victim"]
    raw = {row.cell.label: {"ring": results(90), "device": results(40), "libfuse3": results(20)},
           row.within.label: {"ring": results(100), "device": results(50), "libfuse3": results(50)}}
    found = rows.ratios(row, raw)
    check(found["ring"][0] == 0.9 and found["device"][0] == 2.0, "the ring against itself, the device against libfuse3",
          found)


def every_workload_is_known(client):
    for workload in sorted({cell.workload for row in rows.ALL.values() for cell in row.cells()}):
        done = subprocess.run([client, "--dir", "/nonexistent", "--workload", workload, "--seconds", "0.01",
                               "--warmup", "0"],
                              capture_output=True, text=True, timeout=RUN_TIMEOUT_S, check=False)
        check(done.returncode == 1, f"the client has {workload}", done.stderr)


def run(*words):
    done = subprocess.run([os.path.join(HERE, "run"), *words], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=RUN_TIMEOUT_S, check=False)
    return done.returncode, done.stdout + done.stderr


def written(directory, name, raw):
    path = os.path.join(directory, name)
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"kernel": "k", "cpus": 2, "rounds": 3, "rows": {"fstat-1": raw}}, file)
    return path


def files_of_earlier_runs_make_a_table(directory):
    good = written(directory, "good.json", fstat_1(3.5, 1.2))
    bad = written(directory, "bad.json", fstat_1(1.0, 1.2))
    picture = os.path.join(directory, "rows.png")
    code, out = run("--from", good, "--png", picture)
    check(code == 0 and "3.50x" in out and "MISSED" not in out, "floors that hold give 0", code, out)
    check("--workload fstat --clients 1 --pin" in out, "the command is printed", out)
    with open(picture, "rb") as file:
        check(file.read(8) == PNG_SIGNATURE, "the picture is one")
    code, out = run("--from", good, "--from", bad)
    check(code == 3 and "MISSED" in out, "a floor that is missed gives 3, the later file wins", code, out)
    failed = fstat_1(3.5, 1.2)
    failed["fstat x1 pinned"]["ring"] = []
    code, out = run("--from", written(directory, "failed.json", failed))
    check(code == 1 and "failed" in out, "a variant that failed gives 1", code, out)


def bad_arguments_are_refused():
    for words in (["--row", "bogus"], ["--row", "fstat-1", "--quick"], ["--table", "--cell", "fstat"],
                  ["--baseline", "ring"]):
        code, out = run("--client", "/bin/true", *words)
        check(code == 2, f"refused: {' '.join(words)}", code, out)


def memory_bounds_are_judged():
    loader = importlib.machinery.SourceFileLoader("footprint", os.path.join(HERE, "footprint"))
    spec = importlib.util.spec_from_loader("footprint", loader)
    footprint = importlib.util.module_from_spec(spec)
    loader.exec_module(footprint)

    def of(rss, switches, left):
        return {"idle": {"rss_mib": rss, "switches_in_10s": switches},
                "burst": {"before_mib": 5.0, "after_mib": {10: 5.0 + left}}}
    device = of(4.0, 0, 50.0)
    for ring, broken in ((of(11.9, 9, 0.9), 0), (of(12.1, 0, 0), 1), (of(4, 11, 0), 1), (of(4, 0, 1.1), 1)):
        found = footprint.judge({"ring": ring, "device": device}, 10)
        check(len(found) == broken, f"{broken} bounds broken", ring, found)


def main():
    verdicts_follow_the_bounds()
    ratios_belong_to_one_round()
    the_victim_is_compared_with_itself()
    every_workload_is_known(sys.argv[1])
    bad_arguments_are_refused()
    memory_bounds_are_judged()
    with tempfile.TemporaryDirectory(prefix="rf-rows-") as directory:
        files_of_earlier_runs_make_a_table(directory)


main()
