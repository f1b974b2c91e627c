#!/bin/bash
# What RINGFUSE_VERBOSE=1 prints, that nothing is printed without it, and that a misspelt variable is named.
#
# usage: banner.sh PROBE_B    exit 77: as the probe
set -eu

probe=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# stderr of a mount, with the environment given
said() {
    env -u RINGFUSE_VERBOSE "$@" "$probe" dev >"$work/out" 2>"$work/err" || {
        code=$?
        cat "$work/out" "$work/err"
        exit "$code"
    }
    cat "$work/err"
}

silent=$(said)
if [[ -n $silent ]]; then
    printf 'said without being asked:\n%s\n' "$silent"
    exit 1
fi
banner='^ringfuse [0-9.]+: libfuse 3\.14\.0, layout B \(RINGFUSE_ABI\), transport dev \(asked for\)$'
verbose=$(said RINGFUSE_VERBOSE=1)
if [[ $(grep -cE "$banner" <<<"$verbose") != 1 || $(wc -l <<<"$verbose") != 2 ]]; then
    printf 'wanted one banner and the counts of the loop:\n%s\n' "$verbose"
    exit 1
fi
misspelt=$(said RINGFUSE_TRANPSORT=dev)
if [[ $misspelt != "environment variable unknown: RINGFUSE_TRANPSORT, ignored" ]]; then
    printf 'wanted one warning:\n%s\n' "$misspelt"
    exit 1
fi
