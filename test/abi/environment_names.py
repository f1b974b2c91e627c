"""Every RINGFUSE_ variable that the library reads is in the list that unknown ones are measured by, and the other way
round.

usage: environment_names.py SOURCE_ROOT"""

import pathlib
import re
import sys

lib = pathlib.Path(sys.argv[1]) / "lib"
LIST = lib / "cli" / "environment.cpp"
NAME = re.compile(r'"(RINGFUSE_[A-Z]\w*)"')

listed = set(NAME.findall(re.search(r"kKnown\{(.*?)\};", LIST.read_text("utf-8"), re.S)[1]))
read = {name for path in lib.rglob("*.[ch]pp") if path != LIST for name in NAME.findall(path.read_text("utf-8"))}
print(f"listed but never read: {sorted(listed - read)}")
print(f"read but not listed: {sorted(read - listed)}")
sys.exit(1 if listed != read or not listed else 0)
