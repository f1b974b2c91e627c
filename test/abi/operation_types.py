"""Every member of struct fuse_operations has the type of libfuse's, in our headers and (what they have of it) in the
distribution's.

usage: operation_types.py INCLUDE_DIR C_COMPILER DISTRIBUTION_INCLUDE_DIR OPERATIONS

The distribution's headers must be there: they show that the table is right. With a type changed the compilation must fail.
"""

import pathlib
import re
import shlex
import subprocess
import sys

import probe_source

ours_dir, compiler, theirs_dir = pathlib.Path(sys.argv[1], "fuse3"), shlex.split(sys.argv[2]), pathlib.Path(sys.argv[3])
types = {row["member"]: row["type"] for row in probe_source.read_table(sys.argv[4])}
failures = []


def rejected(include_dir, version, wanted):
    """Members whose type is not the wanted one."""
    head = "#include <fuse.h>\n#include <stdint.h>\n"
    lines = [f'_Static_assert(__builtin_types_compatible_p(__typeof__(((struct fuse_operations *)0)->{member}), {form}), '
             f'"wrong: {member}");\n' for member, form in wanted.items()]
    done = subprocess.run([*compiler, "-std=gnu11", f"-I{include_dir}", f"-DFUSE_USE_VERSION={version}", "-D_GNU_SOURCE",
                           "-fsyntax-only", "-x", "c", "-"], input=head + "".join(lines), text=True, capture_output=True,
                          check=False)
    found = set(re.findall(r"error: .*wrong: (\w+)", done.stderr))
    if done.returncode and not found:
        sys.exit(f"{include_dir}: {done.stderr}")
    return found


def expect(what, got, wanted):
    if got != wanted:
        failures.append(f"{what}: wrong types {sorted(got)}, expected {sorted(wanted)}")


def for_version(version):
    return types if version >= 35 else {**types, "ioctl": types["ioctl"].replace("unsigned int", "int", 1)}


if not (theirs_dir / "fuse.h").is_file():
    sys.exit(f"{theirs_dir}: no libfuse3 headers; install libfuse3-dev (Debian) to run the comparison")
for version in (30, 31, 35, 312, 314, 319):
    expect(f"ours at {version}", rejected(ours_dir, version, for_version(version)), set())
    theirs = {member: form for member, form in for_version(version).items() if member not in ("statx", "syncfs")}
    expect(f"distribution at {version}", rejected(theirs_dir, version, theirs), set())
expect("a planted difference", rejected(ours_dir, 319, {**types, "read": types["write"]}), {"read"})

print("\n".join(failures))
print(f"{len(types)} operations, {len(failures)} wrong")
sys.exit(1 if failures or not types else 0)
