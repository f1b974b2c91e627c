#!/usr/bin/env bash
# What `meson install` leaves is enough: a program is compiled against the installed copy by way of each pkg-config file,
# another brings the installed stand-ins in with dlopen() as language bindings do, and all of them serve a mount.
#
# usage: installed.sh BUILD_DIRECTORY SOURCE    exit 0: all right; 1: not; 77: needs root and /dev/fuse
set -euo pipefail

build=$1 source=$2
[[ $EUID -eq 0 && -e /dev/fuse ]] || { echo "needs root and /dev/fuse"; exit 77; }
work=$(mktemp -d)
daemon=
tidy() {
    mountpoint -q "$work/mnt" && umount -l "$work/mnt"
    [[ -z $daemon ]] || kill "$daemon" 2>/dev/null || true
    rm -rf "$work"
}
trap tidy EXIT

meson install -C "$build" --no-rebuild --quiet --destdir "$work/copy"
pkgconfig=$(dirname "$(find "$work/copy" -name ringfuse.pc)")
libdir=$(dirname "$pkgconfig")
mkdir "$work/mnt"

# compile NAME PKG_CONFIG_PATH MODULE [FLAG...]
compile() {
    local name=$1 path=$2 module=$3 flags
    shift 3
    # In the copy the prefix is elsewhere; pkg-config puts the folder before each -I and -L.
    flags=$(PKG_CONFIG_PATH=$path PKG_CONFIG_SYSROOT_DIR=$work/copy pkg-config --cflags --libs "$module")
    if [[ $flags == *"$work"* ]]; then
        # shellcheck disable=SC2086  # flags are words
        ${CC:-cc} -Wall -Werror "$@" "$source" -o "$work/$name" $flags
    else
        echo "pkg-config $module does not lead to the installed copy: $flags"
        exit 1
    fi
}

# serves COMMAND...: mounts, asks whose library it is, unmounts.
serves() {
    local answer=
    RINGFUSE_VERBOSE=1 LD_LIBRARY_PATH=$libdir:$libdir/ringfuse "$@" -f "$work/mnt" 2>"$work/log" &
    daemon=$!
    for ((i = 0; i < 300; i++)); do
        mountpoint -q "$work/mnt" && break
        kill -0 "$daemon" 2>/dev/null || break
        sleep 0.1
    done
    answer=$(timeout 20 cat "$work/mnt/whose" || true)
    if [[ $answer != *ringfuse* ]] || ! grep -q '^ringfuse.*transport' "$work/log"; then
        echo "$*: answer '$answer', log:"
        cat "$work/log"
        exit 1
    fi
    umount "$work/mnt"
    wait "$daemon" || { echo "$*: ended with $?"; cat "$work/log"; exit 1; }
    daemon=
    echo "$(basename "$1") ${*:2}: $answer; $(grep -m1 '^ringfuse' "$work/log")"
}

compile native "$pkgconfig" ringfuse
compile as_fuse3 "$libdir/ringfuse/pkgconfig" fuse3
compile binding "$pkgconfig" ringfuse -DDLOPEN -Wl,--as-needed
serves "$work/native"
serves "$work/as_fuse3"
for version in - FUSE_3.0; do
    serves "$work/binding" libfuse3.so.3 "$version"
    serves "$work/binding" libfuse3.so.4 "$version"
done
