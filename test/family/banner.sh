#!/bin/bash
# What RINGFUSE_VERBOSE=1 prints, that nothing is printed without it, that a misspelt variable is named, and that a
# program with a loop of its own is told why it is served over the device.
#
# usage: banner.sh PROBE_B    exit 77: as the probe
set -eu

probe=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# said MODE [NAME=VALUE]...: stderr of a mount, with the environment given
said() {
    local mode=$1
    shift
    env -u RINGFUSE_VERBOSE "$@" "$probe" "$mode" >"$work/out" 2>"$work/err" || {
        code=$?
        cat "$work/out" "$work/err" >&2
        exit "$code"
    }
    cat "$work/err"
}

silent=$(said dev)
if [[ -n $silent ]]; then
    printf 'said without being asked:\n%s\n' "$silent"
    exit 1
fi
banner='^ringfuse [0-9.]+: libfuse 3\.14\.0, layout B \(RINGFUSE_ABI\), transport dev \(asked for\)$'
verbose=$(said dev RINGFUSE_VERBOSE=1)
if [[ $(grep -cE "$banner" <<<"$verbose") != 1 || $(wc -l <<<"$verbose") != 2 ]]; then
    printf 'wanted one banner and the counts of the loop:\n%s\n' "$verbose"
    exit 1
fi
misspelt=$(said dev RINGFUSE_TRANPSORT=dev)
if [[ $misspelt != "environment variable unknown: RINGFUSE_TRANPSORT, ignored" ]]; then
    printf 'wanted one warning:\n%s\n' "$misspelt"
    exit 1
fi
switch=/sys/module/fuse/parameters/enable_uring
if [[ ! -e $switch ]]; then
    echo "this kernel has no $switch" >&2
    exit 77
fi
echo 1 >"$switch"
reason="the application's own loop reads the device, the ring needs the library's"
own_loop=$(said own_loop RINGFUSE_VERBOSE=1)
if [[ $(head -1 <<<"$own_loop") != "ringfuse: serving over /dev/fuse: $reason" ||
    $(tail -1 <<<"$own_loop") != "ringfuse "*" layout B (RINGFUSE_ABI), transport dev ($reason)" ]]; then
    printf 'wanted the reason, twice:\n%s\n' "$own_loop"
    exit 1
fi
