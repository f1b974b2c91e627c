"""Compares our public headers with those of the distribution's libfuse3 (3.14): every constant, size, offset, bit
and function signature that both have.

usage: distribution_parity.py INCLUDE_DIR C_COMPILER DISTRIBUTION_INCLUDE_DIR LAYOUT CONSTANTS

The distribution's headers must be there: without them this test fails. Signatures are read with gcc's -aux-info,
so gcc is needed beside whatever compiler builds the project.
"""

import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

import probe_source

ours_dir = pathlib.Path(sys.argv[1], "fuse3")
compiler = shlex.split(sys.argv[2])
theirs_dir = pathlib.Path(sys.argv[3])
layout = probe_source.read_table(sys.argv[4])
constants = probe_source.read_table(sys.argv[5])

HEADERS = ["fuse.h", "fuse_lowlevel.h", "cuse_lowlevel.h", "fuse_common.h", "fuse_opt.h", "fuse_log.h"]
SIGNATURE_VERSIONS = [30, 31, 32, 35, 312, 314]

# Where 3.14 (family B) and 3.19 (family D, ours) differ on purpose: name -> (theirs, ours, reason). A difference that
# is not here, or has other values, fails; so does an entry that is not seen.
GROWN = "3.17 appended fields and changed the soname"
RESTORED = "3.11 inserted no_rofd_flush, 3.17 moved it to the end: the others are where 3.10 had them"
EXPLAINED = {
    "FUSE_VERSION": ((314, 0), (319, 0), "other release"),
    "FUSE_MINOR_VERSION": ((14, 0), (19, 0), "other release"),
    "fuse_file_info": ((40, 0), (64, 0), GROWN),
    "fuse_file_info.padding": ((40, 24), (41, 23), "parallel_direct_writes took bit 8"),
    "fuse_conn_info.reserved": ((40, 88), (66, 62), "fields took part of the reserve; the size is the same"),
    "fuse_buf": ((40, 0), (48, 0), GROWN),
    "fuse_bufvec": ((64, 0), (72, 0), "fuse_buf grew"),
    "fuse_bufvec.buf": ((24, 40), (24, 48), "fuse_buf grew"),
    "fuse_custom_io": ((32, 0), (40, 0), "3.17 appended clone_fd; callers pass the size"),
    "fuse_operations": ((336, 0), (352, 0), "statx, syncfs appended; callers pass the size"),
    "fuse_config": ((128, 0), (520, 0), GROWN),
    "fuse_config.no_rofd_flush": ((84, 4), (124, 4), RESTORED),
    "fuse_config.ac_attr_timeout_set": ((88, 4), (84, 4), RESTORED),
    "fuse_config.ac_attr_timeout": ((96, 8), (88, 8), RESTORED),
    "fuse_config.nullpath_ok": ((104, 4), (96, 4), RESTORED),
    "fuse_config.show_help": ((108, 4), (100, 4), RESTORED),
    "fuse_config.modules": ((112, 8), (104, 8), RESTORED),
    "fuse_config.debug": ((120, 4), (112, 4), RESTORED),
    "fuse_lowlevel_ops": ((352, 0), (376, 0), "tmpfile, statx, syncfs appended; callers pass the size"),
}

# Functions: name -> reason why ours is declared in another way.
EXPLAINED_FUNCTIONS = {
    "fuse_session_new": "3.17 made it a macro over fuse_session_new_fn, which must have the same signature",
    "fuse_new": "3.17 made it a macro over fuse_new_fn, which must have the same signature",
    "fuse_new_30": "3.17 calls _fuse_new_30 in fuse_new_fn, which must have the same signature",
    "fuse_lowlevel_notify_expire_entry": "the flags argument is gone after 3.14.0; a macro still takes it",
}
# Of those, the ones that must agree with a function of another name.
RENAMED = {"fuse_session_new": "fuse_session_new_fn", "fuse_new": "fuse_new_fn", "fuse_new_30": "fuse_new_fn"}
# Members of the distribution's macros that have no meaning as a number or no counterpart.
EXPLAINED_MACROS = {
    "FUSE_H_": "include guard", "FUSE_COMMON_H_": "include guard", "FUSE_LOWLEVEL_H_": "include guard",
    "FUSE_OPT_H_": "include guard", "FUSE_LOG_H_": "include guard", "FUSE_USE_VERSION": "set by this test",
    "FUSE_OPT_END": "an initialiser, not a number", "FUSE_RC_VERSION": "empty",
}

failures = []


def run(command, text=None):
    return subprocess.run(command, input=text, text=True, capture_output=True, check=False)


def base_command(include_dir, version):
    return [*compiler, "-std=gnu11", f"-I{include_dir}", f"-DFUSE_USE_VERSION={version}"]


def macros(include_dir):
    """Object-like FUSE_ macros that the headers define."""
    done = run([*base_command(include_dir, 314), "-dM", "-E", "-x", "c", "-"], probe_source.includes(HEADERS))
    if done.returncode:
        sys.exit(f"{include_dir}: {done.stderr}")
    return {match[1] for match in re.finditer(r"^#define (FUSE_\w+)(?= |$)", done.stdout, re.M)}


def measure(include_dir, scratch):
    """{name: (a, b)} for every layout row and constant that exists in these headers."""
    names = sorted((macros(ours_dir) | macros(theirs_dir) | {row["name"] for row in constants})
                   - EXPLAINED_MACROS.keys())
    probes = [(probe_source.layout_key(row), probe_source.layout_function(f"probe_{i}", row))
              for i, row in enumerate(layout)]
    probes += [(name, f"static void probe_{len(layout) + i}(long *a, long *b) {{ *a = (long)({name}); *b = 0; }}")
               for i, name in enumerate(names)]
    head = probe_source.includes(HEADERS) + probe_source.PROLOGUE
    # One function per line: a compiler error on a line means that these headers do not have the thing.
    limit = ["-fmax-errors=0"] if "clang" not in run([*compiler, "--version"]).stdout else ["-ferror-limit=0"]
    trial = run([*base_command(include_dir, 314), *limit, "-w", "-fsyntax-only", "-x", "c", "-"],
                head + "\n".join(function for _, function in probes) + "\n")
    first = head.count("\n") + 1
    absent = {int(match[1]) - first for match in re.finditer(r"^<stdin>:(\d+):\d+: error", trial.stderr, re.M)}
    if any(index < 0 for index in absent):
        sys.exit(f"{include_dir}: {trial.stderr}")
    present = [(i, name, function) for i, (name, function) in enumerate(probes) if i not in absent]
    body = "".join(f'\tprobe_{i}(&a, &b);\n\tprintf("{name} %ld %ld\\n", a, b);\n' for i, name, _ in present)
    source, program = scratch / "probe.c", scratch / "probe"
    source.write_text(head + "\n".join(function for _, _, function in present)
                      + f"\nint main(void)\n{{\n\tlong a, b;\n{body}\treturn 0;\n}}\n", encoding="utf-8")
    done = run([*base_command(include_dir, 314), "-w", "-o", program, source])
    if done.returncode:
        sys.exit(f"{include_dir}: {done.stderr}")
    output = run([program])
    if output.returncode:
        sys.exit(f"{include_dir}: the probe ended with {output.returncode}")
    return {name: (int(a), int(b)) for name, a, b in (line.split() for line in output.stdout.splitlines())}


def signatures(include_dir, version, scratch):
    """{function: signature} as gcc understands it, without storage class and parameter names."""
    listing = scratch / "signatures"
    done = run(["gcc", "-std=gnu11", f"-I{include_dir}", f"-DFUSE_USE_VERSION={version}", "-aux-info", listing,
                "-x", "c", "-c", "-o", "/dev/null", "-"], probe_source.includes(HEADERS))
    if done.returncode:
        sys.exit(f"{include_dir}: {done.stderr}")
    line_form = re.compile(rf"/\* {re.escape(str(include_dir))}/\S+:\d+:N(?P<kind>[CF]) \*/ (?:extern |static )?"
                           r"(?P<result>.*?)\b(?P<name>fuse_\w+) \((?P<parameters>[^()]*)\);")
    found = {}
    for match in filter(None, map(line_form.match, listing.read_text(encoding="utf-8").splitlines())):
        parameters = match["parameters"].split(", ")
        if match["kind"] == "F":  # definitions (inline functions) are listed with parameter names
            parameters = [re.sub(r"\s*\b\w+$", "", parameter) for parameter in parameters]
        found[match["name"]] = f'{match["result"]}({", ".join(parameters)})'
    return found


def compare_values():
    with tempfile.TemporaryDirectory() as scratch:
        theirs = measure(theirs_dir, pathlib.Path(scratch))
        ours = measure(ours_dir, pathlib.Path(scratch))
    both = sorted(theirs.keys() & ours.keys())
    for name in sorted(theirs.keys() - ours.keys()):
        failures.append(f"{name}: only in the distribution's headers")
    for name in both:
        print(f"{name}: theirs {theirs[name]} ours {ours[name]}")
        if name in EXPLAINED:
            if (theirs[name], ours[name]) != EXPLAINED[name][:2]:
                failures.append(f"{name}: {theirs[name]} and {ours[name]}, explained are {EXPLAINED[name][:2]}")
        elif theirs[name] != ours[name]:
            failures.append(f"{name}: theirs {theirs[name]} ours {ours[name]}")
    failures.extend(f"{name}: explained but not measured" for name in EXPLAINED.keys() - set(both))
    return len(both)


def compare_signatures():
    compared, explained = 0, set()
    with tempfile.TemporaryDirectory() as scratch:
        for version in SIGNATURE_VERSIONS:
            theirs = signatures(theirs_dir, version, pathlib.Path(scratch))
            ours = signatures(ours_dir, version, pathlib.Path(scratch))
            if len(theirs) < 70:
                failures.append(f"only {len(theirs)} functions found in the distribution's headers")
            for name, theirs_text in theirs.items():
                ours_text = ours.get(name)
                if name in RENAMED and ours_text is None:
                    explained.add(name)
                    ours_text = ours.get(RENAMED[name])
                elif name in EXPLAINED_FUNCTIONS and ours_text != theirs_text:
                    explained.add(name)
                    continue
                elif ours_text is None and name.startswith("fuse_loop_cfg_") and version < 312:
                    continue  # 3.17 declares them from 312 on only; below, the structure is public
                compared += 1
                if ours_text != theirs_text:
                    failures.append(f"{name} at {version}: theirs {theirs_text} ours {ours_text}")
    failures.extend(f"{name}: explained but the same" for name in EXPLAINED_FUNCTIONS.keys() - explained)
    return compared


if not (theirs_dir / "fuse_lowlevel.h").is_file():
    sys.exit(f"{theirs_dir}: no libfuse3 headers; install libfuse3-dev (Debian) to run the comparison")
if not shutil.which("gcc"):
    sys.exit("gcc is needed to read signatures")
release = re.search(r"^#define FUSE_MINOR_VERSION\s+(\d+)", (theirs_dir / "fuse_common.h").read_text(encoding="utf-8"), re.M)
if not release or release[1] != "14":
    print(f"skip: {theirs_dir} is not libfuse 3.14, for which the differences are listed")
    sys.exit(77)
values, functions = compare_values(), compare_signatures()
print("\n".join(failures))
print(f"{values} values, {functions} signatures, {len(EXPLAINED) + len(EXPLAINED_FUNCTIONS)} explained differences, "
      f"{len(failures)} wrong")
sys.exit(1 if failures else 0)
