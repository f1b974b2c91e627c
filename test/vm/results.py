"""What was found so far, in a file, and as a table. A boot may run a part of a machine's tests; its results take the place of
what that part said before."""

import fcntl
import json
import pathlib

import kernels
import machine

TRANSPORTS = ("dev", "dev_uring", "fuse_uring")


def empty_row(series, shape):
    """parts: "GROUP TRANSPORT" -> {"steps": [...], "kernel": [...]}: the steps, and what the kernel of that boot said."""
    return {"series": series, "shape": shape, "missing": "", "unended": "", "facts": {}, "parts": {}, "seconds": {}}


def merge(row, outcome, groups, missing=""):
    row["missing"] = missing
    if missing:
        return
    row["facts"].update(outcome.facts)
    row["unended"] = "" if outcome.ended else outcome.reason or "it stopped"
    row["seconds"][" ".join(groups)] = outcome.seconds
    kernel = [list(step) for step in outcome.steps if step[0] == "kernel"]
    fresh = {}
    for step in outcome.steps:
        if step[0] != "kernel":
            fresh.setdefault(f"{step[0]} {step[1]}", {"steps": [], "kernel": kernel})["steps"].append(list(step))
    row["parts"].update(fresh)


class Results:
    """Several runs may write to one file: each change is made to what the file says at that moment."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.rows = {}
        self.read()

    def read(self):
        found = json.loads(self.path.read_text("utf-8")) if self.path.exists() else []
        self.rows = {(row["series"], row["shape"]): row for row in found}

    def merge(self, series, shape, outcome, groups, missing=""):
        with open(self.path.with_suffix(".lock"), "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.read()
            merge(self.rows.setdefault((series, shape), empty_row(series, shape)), outcome, groups, missing)
            fresh = self.path.with_suffix(".new")
            fresh.write_text(json.dumps(list(self.rows.values()), indent=1), "utf-8")
            fresh.rename(self.path)

    def sorted(self):
        order = [(series, shape) for series in kernels.SERIES for shape in machine.SHAPES]
        return [self.rows[key] for key in order if key in self.rows]


def count(steps):
    """ "5/5", what did not hold in bold; steps for things the kernel does not have do not count."""
    steps = [step for step in steps if step[3] != "absent"]
    if not steps:
        return "-"
    good = sum(step[3] == "ok" for step in steps)
    return f"{good}/{len(steps)}" if good == len(steps) else f"**{good}/{len(steps)}**"


def steps_of(row, group, transport=None):
    return [step for part in row["parts"].values() for step in part["steps"]
            if step[0] == group and transport in (None, step[1])]


def transport_cell(row, name):
    if name not in row["facts"].get("transports", "").split():
        return "not there"
    return ", ".join(count(steps_of(row, group, name)) for group in ("core", "contract", "teardown"))


def footprint_cell(row, name):
    fact = row["facts"].get(f"footprint_{name}")
    if not fact:
        return "-"
    threads, kib = fact.split()
    return f"{threads}, {int(kib) / 1024:.1f}"


def kernel_cell(row):
    if row["unended"]:
        return f"**not to the end: {row['unended']}**"
    bad = sorted({step[4] for part in row["parts"].values() for step in part["kernel"] if step[3] != "ok"})
    return "**" + "; ".join(bad) + "**" if bad else "clean"


def table_line(row):
    what = machine.SHAPES[row["shape"]].what
    if row["missing"]:
        return [row["series"], what, f"**missing**: {row['missing']}"] + [""] * 7
    # The remedy after the semicolon is for people with that problem.
    choice = row["facts"].get("choice", "-").split(";")[0].rstrip(")") + ")"
    return [row["facts"].get("kernel", row["series"]).replace("-cloud-amd64", ""), what,
            f"{count(steps_of(row, 'choice'))} {choice}", *(transport_cell(row, name) for name in TRANSPORTS),
            count(steps_of(row, "cuse")),
            "; ".join(footprint_cell(row, name) for name in TRANSPORTS if name in row["facts"].get("transports", "").split()),
            kernel_cell(row), f"{sum(row['seconds'].values()):.0f}"]


def table(rows):
    lines = [["kernel", "machine", "automatic choice", *(f"{name}: core, C1-C5, ends" for name in TRANSPORTS), "CUSE",
              "idle: threads, MiB of each", "kernel log", "s"]]
    lines.append(["---"] * len(lines[0]))
    lines += [table_line(row) for row in rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
