"""The functions that only say they are missing, against the list of them: the list only shrinks.

usage: not_yet.py SOURCE_ROOT"""

import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1])
FUNCTION = re.compile(r"^RF_NOT_YET_\w+\((\w+)\)$|__attribute__\(\(weak\)\) \w+ (\w+)\(struct|"
                      r"__attribute__\(\(weak\)\) int (fuse_service_exit)\(", re.M)

stubs = {next(filter(None, match)) for match in FUNCTION.findall((root / "lib/abi/not_yet.cpp").read_text("utf-8"))}
listed = {line for line in (root / "test/abi/not_yet.txt").read_text("utf-8").split("\n")
          if line and not line.startswith("#")}
# A function that exists elsewhere wins over its stub, which then is dead text.
DEFINITION = re.compile(r"^RF_EXPORT [^;{}()]*?\b(\w+)\(", re.M)
defined = {name for path in (root / "lib/abi").glob("*.cpp") if path.name != "not_yet.cpp"
           for name in DEFINITION.findall(path.read_text("utf-8"))}

problems = [f"new stub, not in test/abi/not_yet.txt: {name}" for name in sorted(stubs - listed)]
problems += [f"no stub any more, take it out of test/abi/not_yet.txt: {name}" for name in sorted(listed - stubs)]
problems += [f"exists now, take its stub out of lib/abi/not_yet.cpp: {name}" for name in sorted(stubs & defined)]
print("\n".join(problems))
print(f"{len(stubs)} functions are missing")
sys.exit(1 if problems or not defined else 0)
