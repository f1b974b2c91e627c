"""Compares what a built shared library exports with symbols.tsv, and checks what else a stand-in must have.

usage: library_exports.py LIBRARY GENERATION SYMBOLS_TSV SONAME [--plain]

GENERATION (3 or 4) says which of a name's versions must be the default: as in the last libfuse3.so.3 or as in
libfuse3.so.4. --plain: the library is not instrumented, so its constructors and its needs are checked as well.
Prints, for each generation and for all releases together, how many of the wanted symbols are there."""

import re
import subprocess
import sys

NODES = {"FUSE_3.0", "FUSE_3.1", "FUSE_3.2", "FUSE_3.3", "FUSE_3.4", "FUSE_3.7", "FUSE_3.12", "FUSE_3.17", "FUSE_3.17.3",
         "FUSE_3.18", "FUSE_3.19"}
OURS = re.compile(r"ringfuse_\w+@@RINGFUSE_[\d.]+")
# A library that is preloaded into every program must not do anything there. These belong to the compiler's start-up
# code and to libstdc++, and do no more than set up memory of their own.
CONSTRUCTORS = {"frame_dummy", "_GLOBAL__sub_I_eh_alloc.cc", "_GLOBAL__sub_I_system_error.cc"}
NEEDS = re.compile(r"(libc|liburing|libpthread|ld-linux[-\w]*)\.so\.\d+")

library, generation, table, soname = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4]
failures = []


def output_of(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


def wanted_symbols():
    """[(name, node, kind in generation 3, kind in generation 4)]"""
    with open(table, encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t") for line in file if not line.startswith("#")]
    assert rows[0] == ["symbol", "node", "since", "so_3", "so_4"], rows[0]
    return [(row[0], row[1], row[3], row[4]) for row in rows[1:]]


def exported_symbols():
    """{(name, node): "@" or "@@"} of the functions defined in the library."""
    found = {}
    for line in output_of("readelf", "-W", "--dyn-syms", library).splitlines():
        fields = line.split()
        if len(fields) < 8 or fields[6] in ("UND", "ABS", "Ndx") or "@" not in fields[7]:
            continue
        name, _, node = fields[7].partition("@")
        found[name, node.lstrip("@")] = "@@" if node.startswith("@") else "@"
        if fields[3] != "FUNC":
            failures.append(f"{fields[7]} is {fields[3]}")
    return found


def check_symbols():
    wanted, found = wanted_symbols(), exported_symbols()
    for column, label in ((2, "generation 3"), (3, "generation 4"), (None, "all releases")):
        rows = [row for row in wanted if column is None or row[column] != "-"]
        there = [row for row in rows if row[:2] in found]
        print(f"{soname}: {label}: {len(there)}/{len(rows)}")
        failures.extend(f"missing: {row[0]}@{row[1]}" for row in rows if row not in there)
    mine, other = (2, 3) if generation == "3" else (3, 2)
    named = {row[0] for row in wanted if row[mine] != "-"}
    for row in wanted:
        # A name this generation had keeps its default; one that came or went is as the other had it.
        kind = row[mine] if row[mine] != "-" else "@" if row[0] in named else row[other]
        if kind != "-" and found.get(row[:2], kind) != kind:
            failures.append(f"{row[0]}: version {row[1]} is {found[row[:2]]}, wanted {kind}")
    for name, node in found.keys() - {row[:2] for row in wanted}:
        if not OURS.fullmatch(f"{name}@@{node}"):
            failures.append(f"leaked: {name}@{node}")
    defaults = [name for (name, _), kind in found.items() if kind == "@@"]
    failures.extend(f"two defaults: {name}" for name in set(defaults) if defaults.count(name) > 1)


def check_nodes():
    defined = set(re.findall(r"Name: (FUSE_[\d.]+)$", output_of("readelf", "-W", "-V", library), re.M))
    if defined != NODES:
        failures.append(f"version nodes: {sorted(defined ^ NODES)}")


def check_dynamic():
    dynamic = output_of("readelf", "-W", "-d", library)
    found = re.findall(r"\(SONAME\).*\[(.*)\]", dynamic)
    if found != [soname]:
        failures.append(f"soname is {found}, wanted {soname}")
    if "--plain" in sys.argv:
        failures.extend(f"needs {need}" for need in re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic)
                        if not NEEDS.fullmatch(need))


def check_constructors():
    """The entries of .init_array are relative relocations inside it; their addends are functions."""
    section = re.search(r"\.init_array\s+INIT_ARRAY\s+([0-9a-f]+)\s+[0-9a-f]+\s+([0-9a-f]+)",
                        output_of("readelf", "-W", "-S", library))
    begin, size = int(section[1], 16), int(section[2], 16)
    names = {}
    for line in output_of("nm", library).splitlines():
        fields = line.split()
        if len(fields) == 3 and fields[1] in "tT":
            names[int(fields[0], 16)] = fields[2]
    run = []
    for line in output_of("readelf", "-W", "-r", library).splitlines():
        fields = line.split()
        if len(fields) >= 4 and fields[2].endswith("_RELATIVE") and begin <= int(fields[0], 16) < begin + size:
            run.append(names.get(int(fields[3], 16), fields[3]))
    print(f"{soname}: constructors: {', '.join(sorted(run))}")
    if len(run) * 8 != size or set(run) - CONSTRUCTORS:
        failures.append(f"constructors: {run} in {size} bytes, allowed are {sorted(CONSTRUCTORS)}")


check_symbols()
check_nodes()
check_dynamic()
if "--plain" in sys.argv:
    check_constructors()
print("\n".join(failures))
sys.exit(1 if failures else 0)
