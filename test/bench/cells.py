"""What the benchmark measures: one cell is a workload with some clients on one mount. Runs the client, collects its
results in rounds, and reduces them to medians."""

import json
import statistics
import subprocess
import sys
from typing import NamedTuple

import mounts

CLIENT_SPARE_S = 5  # the client gives up on a stuck operation by itself, if it can
MEDIAN_KEYS = ("ops_per_s", "p50_us", "p99_us", "max_us", "client_cpu_s_per_op", "server_cpu_us_per_op")


class Cell(NamedTuple):
    workload: str
    clients: int = 1
    pinned: bool = False  # client i on the i-th CPU

    @property
    def label(self):
        return f"{self.workload} x{self.clients}{' pinned' if self.pinned else ''}"

    def client_words(self, client, directory, times):
        return [client, "--dir", directory, "--workload", self.workload, "--clients", str(self.clients),
                "--seconds", str(times.seconds), "--warmup", str(times.warmup),
                "--grace", str(times.grace)] + (["--pin"] if self.pinned else [])


class Times(NamedTuple):
    rounds: int
    seconds: float
    warmup: float
    grace: float = 20  # how long an operation may be overdue


def run_client(client, times, mounted, cell):
    """One run of the client on one mount. The client's result plus the server's CPU; None after saying why."""
    where = f"{mounted.name}, {cell.label}"
    cpu_before = mounted.cpu_seconds()
    process = subprocess.Popen(cell.client_words(client, mounted.dir, times), stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        out, err = process.communicate(timeout=times.seconds + times.warmup + times.grace + CLIENT_SPARE_S)
    except BaseException as error:
        mounted.abort()
        mounts.end_child(process)
        if not isinstance(error, subprocess.TimeoutExpired):
            raise
        print(f"bench: {where}: client stuck, mount aborted", flush=True)
        return None
    cpu = mounted.cpu_seconds() - cpu_before
    if process.returncode != 0:
        print(f"bench: {where}: client exit {process.returncode}\n{(out + err).rstrip()}", flush=True)
        if process.returncode == 3:
            mounted.abort()
        return None
    result = json.loads(out)
    result["server_cpu_us_per_op"] = 1e6 * cpu / result["total_steps"]
    return result


def measure(client, times, live, cells, what=""):
    """{cell label: {variant: [result of each round]}}; a failed cell is not tried again on that variant, and has []."""
    raw = {cell.label: {mounted.name: [] for mounted in live} for cell in cells}
    failed = set()
    for round_nr in range(times.rounds):
        print(f"{what}round {round_nr + 1} of {times.rounds}", file=sys.stderr, flush=True)
        for cell in cells:
            # Each round starts with another variant, so that none always follows the same neighbour.
            first = round_nr % len(live)
            for mounted in live[first:] + live[:first]:
                if (mounted.name, cell) in failed:
                    continue
                result = run_client(client, times, mounted, cell) if mounted.is_alive() else None
                if result is None:
                    failed.add((mounted.name, cell))
                    if not mounted.is_alive():
                        print(f"bench: {mounted.name} is gone\n{mounted.printed()}", flush=True)
                else:
                    raw[cell.label][mounted.name].append(result)
    for name, cell in failed:
        raw[cell.label][name] = []
    return raw


def ratio_of(results, base):
    """The median, lowest and highest of the rounds' own ratios of ops/s, or None. Each round has its own, because runs
    close in time share what else the machine was doing."""
    ratios = [mine["ops_per_s"] / other["ops_per_s"] for mine, other in zip(results or [], base or [])]
    return (statistics.median(ratios), min(ratios), max(ratios)) if ratios else None


def median_of(results, base):
    """Medians of one variant's rounds, or None; the ratio refers to the rounds `base`."""
    if not results:
        return None
    medians = {key: statistics.median(result[key] for result in results) for key in MEDIAN_KEYS}
    medians["ratio"] = ratio_of(results, base)
    return medians
