#!/bin/bash
# Preloaded into programs that never call it, the library neither says nor does anything.
#
# usage: preload.sh LIBRARY
set -eu

library=$1
programs=("ls -d /" "sh -c 'sh -c \"echo inner\"; echo outer >&2'" "cat /proc/self/cmdline" "ls /proc/self/task /proc/self/fd")
for program in "${programs[@]}"; do
    alone=$(env RINGFUSE_VERBOSE=1 sh -c "$program" 2>&1)
    together=$(env RINGFUSE_VERBOSE=1 RINGFUSE_TRANSPORT=nonsense LD_PRELOAD="$library" sh -c "$program" 2>&1)
    # Thread and descriptor listings: the same number of lines, the numbers differ.
    if [[ $program == *task* ]]; then
        alone=$(wc -l <<<"$alone") together=$(wc -l <<<"$together")
    fi
    if [[ $alone != "$together" ]]; then
        printf '%s\nalone:\n%s\npreloaded:\n%s\n' "$program" "$alone" "$together"
        exit 1
    fi
done
if ! LD_PRELOAD=$library grep -q "$library" /proc/self/maps; then
    echo "the library was not loaded at all: $library"
    exit 1
fi
