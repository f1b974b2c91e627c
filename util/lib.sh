# Sourced by test/run, test/soak, util/check.sh and util/quickstart: packages, the kernel switch, builds, mounts.
# The sourcing script sets `root` (the source tree) and runs with `set -euo pipefail`.
# shellcheck shell=bash disable=SC2154,SC2034  # root, ended

ring_parameter=/sys/module/fuse/parameters/enable_uring
fuse_control=/sys/fs/fuse/connections

say() { printf '==> %s\n' "$*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

# Installs what util/packages.txt lists and dpkg does not know yet. Silent when there is nothing to do.
install_packages() {
    local package missing=()
    while read -r package _; do
        case $package in '' | '#'*) continue ;; esac
        [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || missing+=("$package")
    done <"$root/util/packages.txt"
    ((${#missing[@]})) || return 0
    ((EUID == 0)) || die "packages are missing and only root can install them: ${missing[*]}"
    say "installing: ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    timeout 300 apt-get -qq update </dev/null
    timeout 600 apt-get -qq -y --no-install-recommends install "${missing[@]}" </dev/null >/dev/null
}

# Turns FUSE-over-io_uring on for mounts made from now on, and says so. False if this kernel does not have it or
# does not let us.
enable_ring() {
    [[ -e /sys/module/fuse ]] || modprobe fuse 2>/dev/null || true
    if [[ ! -e $ring_parameter ]]; then
        say "kernel $(uname -r) has no FUSE-over-io_uring (it came with 6.14), /dev/fuse will serve"
        return 1
    fi
    [[ $(<"$ring_parameter") == Y ]] && return 0
    if ! echo 1 2>/dev/null >"$ring_parameter"; then
        say "cannot write $ring_parameter (root can), /dev/fuse will serve"
        return 1
    fi
    say "turned FUSE-over-io_uring on: echo 1 > $ring_parameter (stays until the next boot)"
}

# The control files by which a hung mount can be aborted.
mount_fuse_control() {
    mountpoint -q "$fuse_control" || mount -t fusectl fusectl "$fuse_control" 2>/dev/null ||
        say "cannot mount $fuse_control: a hung mount could not be aborted"
}

# configure_build DIR [meson option]...: sets the build directory up, or changes its options if it is there.
configure_build() {
    local dir=$1
    shift
    if [[ -e $dir/meson-private/coredata.dat ]]; then
        meson configure "$dir" "$@"
    else
        meson setup "$dir" "$root" "$@"
    fi
}

# Mount points of all FUSE filesystems here, one a line.
fuse_mounts() {
    awk '{ for (i = 7; $i != "-"; i++); if ($(i + 1) ~ /^fuse(\.|blk|$)/) print $5 }' /proc/self/mountinfo | sort
}

# Waits up to SECONDS until DIR is a FUSE mount; false if process PID ends first.
wait_mounted() {
    local dir=$1 pid=$2 seconds=$3 i
    for ((i = 0; i < seconds * 20; i++)); do
        if fuse_mounts | grep -qxF "$dir"; then
            return 0
        fi
        kill -0 "$pid" 2>/dev/null || return 1
        sleep 0.05
    done
    return 1
}

# Ends the connection behind the FUSE mount DIR: whoever waits for an answer gets an error.
abort_mount() {
    local connection
    connection=$(awk -v dir="$1" '$5 == dir { split($3, dev, ":"); print dev[2] }' /proc/self/mountinfo | tail -n1)
    say "aborting a mount that does not answer: $1 connection=$connection"
    echo 1 2>/dev/null >"$fuse_control/$connection/abort" || true
}

# Unmounts DIR whatever state it is in; never waits for the filesystem longer than 10 s.
drop_mount() {
    local dir=$1
    fuse_mounts | grep -qxF "$dir" || return 0
    bounded "$dir" 10 umount "$dir" 2>/dev/null && return 0
    fuse_mounts | grep -qxF "$dir" || return 0
    abort_mount "$dir"
    timeout -k 1 10 umount -l "$dir" || true
}

# bounded DIR SECONDS COMMAND...: runs a command that works on the FUSE mount DIR. timeout(1) alone is not enough: a
# process whose request has reached the filesystem cannot be killed before the connection is aborted.
bounded() {
    local dir=$1 seconds=$2 pid i
    shift 2
    "$@" &
    pid=$!
    for ((i = 0; i < seconds * 20; i++)); do
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.05
    done
    if kill -0 "$pid" 2>/dev/null; then
        abort_mount "$dir"
        kill -KILL "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
        return 124
    fi
    wait "$pid"
}

# Waits up to 10 s for PID, a child of this shell, then kills it. Its exit code is in `ended`.
end_process() {
    local pid=$1 i
    for ((i = 0; i < 200; i++)); do
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.05
    done
    kill -KILL "$pid" 2>/dev/null || true
    ended=0
    wait "$pid" 2>/dev/null || ended=$?
}
