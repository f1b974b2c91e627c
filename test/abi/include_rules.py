"""Reads the #include lines of lib/ and fails on a breach of the folder table in doc/architecture.md.

usage: include_rules.py SOURCE_ROOT              check the tree
       include_rules.py SOURCE_ROOT --self-test  copy the tree, plant breaches, fail unless each one is found
"""

import pathlib
import re
import shutil
import sys
import tempfile

# What the table's words "the transport interface" stand for.
TRANSPORT_INTERFACE = {"transport/transport.hpp", "transport/select.hpp", "transport/engine.hpp", "transport/device.hpp",
                       "transport/ring_options.hpp"}
ROW = re.compile(r"^\|\s*`lib/(\w+)`\s*\|[^|]*\|([^|]*)\|\s*$", re.M)
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)


def read_rules(root):
    """{folder: set of words it may include} from the document."""
    text = (root / "doc" / "architecture.md").read_text(encoding="utf-8")
    rules = {folder: {word.strip() for word in re.split("[,;]", cell)} for folder, cell in ROW.findall(text)}
    known = set(rules) | {"nothing", "include/fuse3", "the transport interface", "everything",
                          "nobody includes abi"}
    for folder, words in rules.items():
        if words - known:
            sys.exit(f"doc/architecture.md: lib/{folder}: cannot read {sorted(words - known)}")
    return rules


def problem_with(quote, target, folder, rules, public):
    """Why `folder` may not include `target`, or None."""
    may = rules[folder]
    first = target.split("/")[0]
    if first in ("fuse3", "ringfuse") or target in public:
        if "everything" in may or ("include/fuse3" in may and first != "ringfuse"):
            return None
        return "public headers are not allowed here"
    if quote == "<":
        return "write our own headers with quotes" if first in rules else None
    if first not in rules or ".." in target:
        return 'write "folder/file", from lib/'
    if first == folder:
        return None
    if first == "abi":
        return "nobody includes abi"
    if "everything" in may or first in may:
        return None
    if target in TRANSPORT_INTERFACE and "the transport interface" in may:
        return None
    return f"{folder} may include: {', '.join(sorted(may))}"


def breaches(root, rules):
    lib = root / "lib"
    public = {path.name for path in (root / "include" / "fuse3").glob("*.h")}
    found, files = [], 0
    for path in sorted(lib.rglob("*")):
        if not path.is_file() or not re.search(r"\.(c|h|cpp|hpp)(\.in)?$", path.name):
            continue
        files += 1
        folder = path.relative_to(lib).parts[0]
        if folder not in rules:
            found.append(f"lib/{folder}: no row in doc/architecture.md")
            continue
        text = path.read_text(encoding="utf-8")
        for match in INCLUDE.finditer(text):
            why = problem_with(match[1], match[2], folder, rules, public)
            if why:
                line = text.count("\n", 0, match.start(2)) + 1
                found.append(f"{path.relative_to(root)}:{line}: {match[2]}: {why}")
    return found, files


def self_test(root, rules):
    plants = [("base", '"proto/kernel.hpp"'), ("base", "<fuse_log.h>"), ("proto", "<fuse_common.h>"),
              ("proto", '"buf/copy.hpp"'), ("buf", '"session/session.hpp"'), ("transport", '"session/session.hpp"'),
              ("transport", "<fuse3/fuse_lowlevel.h>"), ("session", '"transport/ring.hpp"'),
              ("session", '"cli/opt.hpp"'), ("mount", '"cli/opt.hpp"'), ("cli", '"session/session.hpp"'),
              ("cli", '"abi/export.hpp"'), ("base", '"fd.hpp"'), ("cli", '"../base/fd.hpp"'), ("mount", "<base/fd.hpp>"),
              ("session", "<ringfuse/ringfuse.h>"), ("stat", '"session/session.hpp"'), ("stat", "<fuse_common.h>"),
              ("base", '"stat/layout.hpp"'), ("family", '"session/session.hpp"'), ("cli", '"family/family.hpp"'),
              ("dropin", '"session/session.hpp"')]
    allowed = [("proto", '"base/fd.hpp"'), ("session", '"transport/transport.hpp"'), ("session", "<fuse_lowlevel.h>"),
               ("abi", '"session/session.hpp"'), ("abi", "<ringfuse/ringfuse.h>"), ("base", "<vector>"),
               ("cli", '"base/log.hpp"'), ("session", '"stat/recorder.hpp"'), ("session", '"family/layout.hpp"'),
               ("buf", '"family/layout.hpp"'), ("family", "<fuse_common.h>"), ("dropin", '"family/library.hpp"')]
    missed = []
    with tempfile.TemporaryDirectory() as scratch:
        copy = pathlib.Path(scratch)
        for part in ("lib", "doc", "include"):
            shutil.copytree(root / part, copy / part)
        for number, (folder, target) in enumerate(plants + allowed):
            planted = copy / "lib" / folder / f"planted_{number}.hpp"
            planted.write_text(f"#pragma once\n#include {target}\n", encoding="utf-8")
        found, _ = breaches(copy, rules)
        for number, (folder, target) in enumerate(plants + allowed):
            reported = any(f"planted_{number}.hpp:2:" in line for line in found)
            if reported != (number < len(plants)):
                missed.append(f"lib/{folder} with {target}: {'reported' if reported else 'not reported'}")
    print("\n".join(missed))
    print(f"{len(plants)} planted breaches, {len(allowed)} allowed includes, {len(missed)} judged wrongly")
    return missed


root_dir = pathlib.Path(sys.argv[1])
table = read_rules(root_dir)
folders = {path.name for path in (root_dir / "lib").iterdir() if path.is_dir()}
if folders != set(table):
    sys.exit(f"doc/architecture.md: the table and lib/ differ in {sorted(folders ^ set(table))}")
if sys.argv[2:] == ["--self-test"]:
    sys.exit(1 if self_test(root_dir, table) else 0)
problems, count = breaches(root_dir, table)
print("\n".join(problems))
print(f"{count} files, {len(problems)} breaches")
sys.exit(1 if problems or not count else 0)
