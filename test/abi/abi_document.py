"""The table of doc/abi.md (symbol, versions, file, status) against symbols.tsv and the sources.

usage: abi_document.py SOURCE_ROOT [--write]    --write: put the table right instead of complaining"""

import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1])
document = root / "doc" / "abi.md"
MARK = "<!-- table: written by test/abi/abi_document.py --write -->\n"
STUB = re.compile(r"^RF_NOT_YET_\w+\((\w+)\)|__attribute__\(\(weak\)\) \w+ (\w+)\(", re.M)
DEFINITION = re.compile(r"^RF_EXPORT [^;{}()]*?\b(\w+)\(", re.M)
VERSION = re.compile(r'^RF_SYMVER\(\w+,\s*"(\w+)"?@*\s*', re.M)


def defined():
    """{symbol: [files that define it]}"""
    found = {}
    for path in sorted((root / "lib" / "abi").glob("*.cpp")):
        text = path.read_text("utf-8")
        names = STUB.findall(text) if path.name == "not_yet.cpp" else DEFINITION.findall(text) + VERSION.findall(text)
        for name in names:
            found.setdefault("".join(name), set()).add(path.name)
    return found


def table():
    rows = {}
    for line in (root / "test/abi/symbols.tsv").read_text("utf-8").splitlines():
        fields = line.split("\t")
        if len(fields) == 5 and not line.startswith("#") and fields[0] != "symbol":
            rows.setdefault(fields[0], []).append(fields[1].removeprefix("FUSE_"))
    files = defined()
    out = ["| symbol | versions | lib/abi/ | status |", "|---|---|---|---|"]
    for name, nodes in sorted(rows.items(), key=lambda row: row[0].lstrip("_")):
        where = sorted(files.get(name, ()))
        status = "nowhere" if not where else "missing: fails with ENOSYS" if where == ["not_yet.cpp"] else "complete"
        out.append(f"| `{name}` | {', '.join(nodes)} | {', '.join(where)} | {status} |")
    return "\n".join(out) + "\n"


text = document.read_text("utf-8")
head, mark, rest = text.partition(MARK)
if not mark:
    sys.exit(f"{document}: no line {MARK}")
if "--write" in sys.argv:
    document.write_text(head + MARK + table(), "utf-8")
    sys.exit(0)
wanted = table()
different = sorted(set(rest.splitlines()) ^ set(wanted.splitlines()))
print("\n".join(different))
print(f"{len(wanted.splitlines()) - 2} symbols, {wanted.count('complete')} complete, {wanted.count('ENOSYS')} missing")
if rest != wanted or "nowhere" in wanted:
    print("put right by: test/abi/abi_document.py . --write")
    sys.exit(1)
