#!/bin/bash
# abidiff of the distribution's libfuse3.so.3 and the library named: additions are the only difference there may be.
# Also the proof that a loss would be seen: with the roles changed there is one.
set -eu

ours=$1
theirs=$(ldconfig -p | awk '$1 == "libfuse3.so.3" { print $NF; exit }')
if [[ -z $theirs ]]; then
    echo "the distribution's libfuse3.so.3 is not installed"
    exit 1
fi
abidiff --no-added-syms "$theirs" "$ours"
abidiff "$theirs" "$ours" | head -n 2 || true
if abidiff --no-added-syms "$ours" "$theirs" >/dev/null; then
    echo "abidiff finds nothing missing in $theirs, where there is something"
    exit 1
fi
