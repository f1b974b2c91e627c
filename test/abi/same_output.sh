#!/bin/sh
# Runs two programs and fails unless both succeed and print the same, and something, on stdout.
# usage: same_output.sh PROGRAM PROGRAM
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"$1" >"$dir/theirs" 2>/dev/null
"$2" >"$dir/ours" 2>/dev/null
test "$(tail -n 1 "$dir/ours")" = end
if ! diff -u "$dir/theirs" "$dir/ours" >"$dir/diff"; then
    head -n 40 "$dir/diff"
    exit 1
fi
echo "$(wc -l <"$dir/ours") lines equal"
