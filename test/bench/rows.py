"""The rows of the benchmark's table: what each measures, what it must reach against the distribution's libfuse3 and
what it aims at. Every row has mounts of its own, so that no row inherits threads or memory from the one before."""

import contextlib
import os
import shlex
import tempfile
from dataclasses import dataclass

import cells
import mounts
from cells import Cell

SLEEP_US = 20000  # how long a handler of the file "sleepy" takes, for the victim
DATA_BYTES = 66 << 20  # more than a workload walks through

DEVICE_MUST, DEVICE_AIM = 1.0, 1.1
RING, DEVICE, DEVICE_URING, BASE = "ring", "device", "dev_uring", "libfuse3"
VARIANTS = (RING, DEVICE, DEVICE_URING, BASE)
TRANSPORTS = {RING: "fuse_uring", DEVICE: "dev", DEVICE_URING: "dev_uring"}


@dataclass(frozen=True)
class Row:
    name: str
    text: str
    cell: Cell
    must: float = None  # None: the ring is measured and not judged
    aim: float = None
    options: str = ""   # of null_ll; {data} is a file to read from
    args: str = ""      # words before the mount point
    promise: bool = False  # the ring is told that handlers never block; to the device it is the same, so it is left out
    within: Cell = None  # the ring's ratio refers to this cell on the same mount, not to libfuse3

    def variants(self):
        return [name for name in VARIANTS if not (self.promise and name in (DEVICE, DEVICE_URING))]

    def cells(self):
        return [self.cell] + ([self.within] if self.within else [])

    def command(self, build, variant, data="{data}"):
        """The command line that mounts this row's filesystem; the mount point is appended."""
        program = os.path.join(build, "test/fs/null_ll")
        options = [f"sleep_us={SLEEP_US}"] + ([self.options.replace("{data}", data)] if self.options else [])
        words = ["env", "RINGFUSE_NONBLOCKING=1"] if self.promise and variant == RING else []
        words += [program + ("_dist" if variant == BASE else ""), "-f"] + self.args.split()
        if variant != BASE:
            options.insert(0, f"transport={TRANSPORTS[variant]}")
        return shlex.join(words + ["-o", ",".join(options)])


# In the order and with the numbers of the contract.
CONTRACT = [
    Row("fstat-1", "fstat, 1 client pinned", Cell("fstat", 1, True), 2.8, 3.1),
    Row("fstat-2", "fstat, 2 clients pinned", Cell("fstat", 2, True), 2.4, 2.6),
    Row("fstat-8", "fstat, 8 clients", Cell("fstat", 8), 1.25, 1.6),
    Row("fstat-32", "fstat, 32 clients", Cell("fstat", 32), 1.25, 1.6),
    Row("promise-8", "fstat, 8 clients, handlers never block", Cell("fstat", 8), 1.55, 1.7, promise=True),
    Row("promise-32", "fstat, 32 clients, handlers never block", Cell("fstat", 32), 1.55, 1.7, promise=True),
    Row("read-4k-1", "read 4 KiB direct, 1 client pinned", Cell("read-4k", 1, True), 2.7, 3.0),
    Row("read-4k-8", "read 4 KiB direct, 8 clients", Cell("read-4k", 8), 1.6, 2.0),
    Row("openclose-1", "open+close, 1 client pinned", Cell("openclose", 1, True), 2.4, 2.7),
    Row("write-1m-2", "write 1 MiB direct, 2 clients", Cell("write-1m", 2), 1.5, 1.6),
    Row("read-1m-buf", "read 1 MiB direct, fuse_reply_buf", Cell("read-1m", 1), 1.0, 1.1),
    Row("read-1m-data", "read 1 MiB direct, fuse_reply_data", Cell("read-1m", 1), 1.1, 1.3,
        options="reply_data_file={data}"),
    Row("seqread-1m", "read 1 MiB buffered sequential, 1 client", Cell("seqread-1m", 1), 1.0, 1.2, options="cached"),
    Row("reply-thread-1", "fstat, replies from another thread, 1 pinned", Cell("fstat", 1, True), 1.0, 1.5,
        options="reply_thread"),
    Row("reply-thread-8", "fstat, replies from another thread, 8 clients", Cell("fstat", 8), 1.1, 1.5,
        options="reply_thread"),
    Row("victim", "fstat beside a sleeping handler, against itself", Cell("victim", 1), 0.9, 0.97,
        within=Cell("fstat", 1, True)),
    Row("single-1", "-s, fstat, 1 client pinned", Cell("fstat", 1, True), 1.0, 1.5, args="-s"),
    Row("single-8", "-s, fstat, 8 clients", Cell("fstat", 8), 1.0, 1.2, args="-s"),
]

# Not in the contract; the device's own floor holds for these as well.
MORE = [
    Row("lookup-1", "negative lookup, 1 client pinned", Cell("lookup", 1, True)),
    Row("lookup-8", "negative lookup, 8 clients", Cell("lookup", 8)),
    Row("create-1", "create+unlink, 1 client pinned", Cell("create", 1, True)),
    Row("create-8", "create+unlink, 8 clients", Cell("create", 8)),
    Row("openclose-8", "open+close, 8 clients", Cell("openclose", 8)),
    Row("readdir-1", "list 67 names, 1 client pinned", Cell("readdir", 1, True)),
    Row("readdirplus-1", "list 67 names with attributes, 1 pinned", Cell("readdirplus", 1, True),
        options="readdirplus"),
    Row("read-128k-1", "read 128 KiB direct, 1 client pinned", Cell("read-128k", 1, True)),
    Row("read-128k-8", "read 128 KiB direct, 8 clients", Cell("read-128k", 8)),
    Row("write-4k-1", "write 4 KiB direct, 1 client pinned", Cell("write-4k", 1, True)),
    Row("write-128k-1", "write 128 KiB direct, 1 client pinned", Cell("write-128k", 1, True)),
    Row("write-128k-8", "write 128 KiB direct, 8 clients", Cell("write-128k", 8)),
    Row("read-1m-8", "read 1 MiB direct, fuse_reply_buf, 8 clients", Cell("read-1m", 8)),
    Row("read-1m-payload", "read 1 MiB direct, answered where the kernel reads it", Cell("read-1m", 1),
        options="reply_in_place"),
    Row("read-4k-backing", "read 4 KiB by backing id, 1 client pinned", Cell("read-4k", 1, True),
        options="backing_file={data}"),
    Row("read-1m-backing", "read 1 MiB by backing id, 1 client", Cell("read-1m", 1), options="backing_file={data}"),
    Row("read-1m-data-8", "read 1 MiB direct, fuse_reply_data, 8 clients", Cell("read-1m", 8),
        options="reply_data_file={data}"),
    Row("write-1m-1", "write 1 MiB direct, 1 client pinned", Cell("write-1m", 1, True)),
    Row("write-1m-8", "write 1 MiB direct, 8 clients", Cell("write-1m", 8)),
    Row("reply-thread-read", "read 4 KiB, replies from another thread, 1 pinned", Cell("read-4k", 1, True),
        options="reply_thread"),
]

ALL = {row.name: row for row in CONTRACT + MORE}


@contextlib.contextmanager
def data_file():
    """The path of a file of zeros that is in the page cache and on the disk."""
    with tempfile.NamedTemporaryFile(prefix="bench-data-") as file:
        block = bytes(1 << 20)
        for _ in range(DATA_BYTES >> 20):
            file.write(block)
        file.flush()
        os.fsync(file.fileno())
        yield file.name


def measure_row(row, build, client, times, only=None):
    """{cell label: {variant: [result, ...]}} of one row; a variant that does not come up has [] everywhere."""
    with contextlib.ExitStack() as stack:
        data = stack.enter_context(data_file()) if "{data}" in row.options else ""
        wanted = [name for name in row.variants() if not only or name in only]
        live = []
        for name in wanted:
            try:
                live.append(stack.enter_context(mounts.Mounted(name, row.command(build, name, data), None)))
            except mounts.MountFailed as failure:
                print(f"bench: {row.name}: {failure}", flush=True)
        raw = cells.measure(client, times, live, row.cells(), f"{row.name} ") if live else {}
        for cell in row.cells():
            raw.setdefault(cell.label, {})
            for name in wanted:
                raw[cell.label].setdefault(name, [])
        return raw


def ratios(row, raw):
    """{variant: (median, lowest, highest) or None} as the row is judged: the ring against libfuse3 or against `within`,
    the device against libfuse3."""
    mine = raw[row.cell.label]
    base = mine.get(BASE)
    found = {name: cells.ratio_of(results, base) for name, results in mine.items() if name != BASE}
    if row.within and RING in mine:
        found[RING] = cells.ratio_of(mine[RING], raw[row.within.label].get(RING))
    return found


def verdict(ratio, must, aim):
    """One word about a ratio; "" if there is nothing to judge."""
    if must is None or ratio is None:
        return ""
    if ratio[0] < must:
        return "MISSED"
    return "must" if ratio[0] < aim else "aim"


def verdicts(row, raw):
    found = ratios(row, raw)
    return {RING: verdict(found.get(RING), row.must, row.aim),
            DEVICE: verdict(found.get(DEVICE), DEVICE_MUST, DEVICE_AIM)}
