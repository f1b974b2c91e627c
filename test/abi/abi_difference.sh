#!/bin/bash
# abidiff of the distribution's libfuse3.so.3 and the library named: additions are the only difference there may be.
# Also the proof that a loss would be seen: with the roles changed there is one. Debug information is left out: the
# distribution's library has none to compare with, and reading ours takes seconds.
set -eu

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
objcopy --strip-debug "$1" "$work/libfuse3.so.3"
ours=$work/libfuse3.so.3
theirs=$(ldconfig -p | awk '$1 == "libfuse3.so.3" { print $NF; exit }')
if [[ -z $theirs ]]; then
    echo "the distribution's libfuse3.so.3 is not installed"
    exit 1
fi
abidiff --no-added-syms "$theirs" "$ours"
if abidiff --no-added-syms "$ours" "$theirs" >"$work/back"; then
    echo "abidiff finds nothing missing in $theirs, where there is something"
    exit 1
fi
