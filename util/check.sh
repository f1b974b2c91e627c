#!/usr/bin/env bash
# The one command before a commit: formatting, scripts, a clean build with clang, clang-tidy, then all of test/run.
#
#   util/check.sh [--quick]      --quick leaves test/run out
#
# Builds go below build/ ($RINGFUSE_BUILD: elsewhere). The installed headers keep their own formatting.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$root/util/lib.sh"
cd "$root"

build=${RINGFUSE_BUILD:-$root/build}
quick=0
case ${1:-} in
    '') ;;
    --quick) quick=1 ;;
    *) die "usage: util/check.sh [--quick]" ;;
esac
failed=()

# check NAME COMMAND...: runs it, remembers a failure and goes on, so that one run shows everything.
check() {
    local name=$1
    shift
    say "$name"
    "$@" </dev/null || failed+=("$name")
}

check_format() {
    find lib test util \( -name '*.cpp' -o -name '*.hpp' -o -name '*.c' -o -name '*.h' \) -print0 |
        xargs -0 -r clang-format --dry-run -Werror
}

check_scripts() {
    local script failures=0
    while IFS= read -r script; do
        bash -n "$script" || failures=1
    done < <(grep -rlE '^#!.*bash' .ci test util)
    return "$failures"
}

build_with_clang() {
    (export CC=clang CXX=clang++ && configure_build "$build/clang" -Dwerror=true) >/dev/null &&
        ninja -C "$build/clang" --quiet
}

# Every C++ file that build has a command for; shows findings only.
run_tidy() {
    local output status=0
    output=$(run-clang-tidy -p "$build/clang" -quiet "^$root/(lib|test|util)/.*\.cpp$" 2>&1) || status=$?
    printf '%s\n' "$output" | sed 's/\x1b\[[0-9;]*m//g' |
        grep -vE '^([^ ]*clang-tidy[^ ]* |[0-9]+ warnings? |Suppressed|Use -header-filter|$)' || true
    return "$status"
}

install_packages
check "format" check_format
check "shell syntax" check_scripts
check "clang build" build_with_clang
check "clang-tidy" run_tidy
((quick)) || check "tests" "$root/test/run"

if ((${#failed[@]})); then
    printf 'FAILED: %s\n' "${failed[@]}"
    exit 1
fi
echo "all checks passed"
