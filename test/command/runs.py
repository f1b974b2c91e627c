#!/usr/bin/env python3
"""`ringfuse run`: which library it picks, whom it refuses and why, and who does not get the preload."""

import json
import os
import struct
import subprocess

from command import ringfuse
from harness import check, claim, main, run, same, setup

# meson names the folders of the libraries under test there; a program has to meet the distribution's by itself.
os.environ.pop("LD_LIBRARY_PATH", None)

PROBE = r"""
#define FUSE_USE_VERSION 30
#include <fuse_lowlevel.h>
#include <stdio.h>
#include <stdlib.h>
int main(int argc, char** argv)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("version=%s\n", fuse_pkgversion());
    if (system("echo early=$LD_PRELOAD") != 0)
        return 3;
    struct fuse_args args = FUSE_ARGS_INIT(argc, argv);
    if (fuse_opt_parse(&args, NULL, NULL, NULL) != 0)
        return 4;
    if (system("echo child=$LD_PRELOAD run=$RINGFUSE_RUN transport=$RINGFUSE_TRANSPORT") != 0)
        return 5;
    return argc;
}
"""


def compiled(name, source, *flags):
    """A program made on the spot; these are about how programs are linked, so the compiler is part of the test."""
    path = os.path.join(setup.work, name)
    if not os.path.exists(path):
        with open(path + ".c", "w", encoding="utf-8") as file:
            file.write(source)
        run("cc", "-o", path, path + ".c", *flags)
    return path


def with_fuse3():
    """A program of the distribution's libfuse3."""
    flags = run("pkg-config", "--cflags", "--libs", "fuse3").split()
    return compiled("probe", PROBE, "-D_FILE_OFFSET_BITS=64", *flags)


def plain(name, *flags):
    return compiled(name, "int main(void) { return 0; }\n", *flags)


def is_refused(why, *words):
    printed, said = ringfuse("run", "--json", *words, wanted=125)
    result = json.loads(printed)
    same(result["runs"], False, "runs")
    check(why in result["reason"] and why in said, f"wanted {why!r}: {result}\n{said}")


@claim()
def the_generation_is_found_in_the_program_and_behind_its_libraries():
    direct = json.loads(ringfuse("run", "--explain", "--json", "--", with_fuse3())[0])
    library = compiled("libdetour.so", "#include <fuse_opt.h>\nint detour(void) { return fuse_opt_parse(0, 0, 0, 0); }\n",
                       "-shared", "-fPIC", "-D_FILE_OFFSET_BITS=64", *run("pkg-config", "--cflags", "--libs", "fuse3").split())
    indirect = compiled("indirect", "int detour(void);\nint main(void) { return detour(); }\n", library,
                        f"-Wl,-rpath,{setup.work}")
    behind = json.loads(ringfuse("run", "--explain", "--json", "--", indirect)[0])
    for found in (direct, behind):
        check(found["needs"] in ("libfuse3.so.3", "libfuse3.so.4"), f"{found}")
        check(found["preload"].endswith("/" + found["needs"]), f"{found}")
    same(behind["needs"], direct["needs"], "generation behind a library")


@claim()
def privileged_programs_are_refused():
    path = compiled("privileged", PROBE, "-D_FILE_OFFSET_BITS=64", *run("pkg-config", "--cflags", "--libs", "fuse3").split())
    os.chmod(path, 0o4755)
    is_refused("is setuid", "--", path)
    os.chmod(path, 0o2755)
    is_refused("is setgid", "--", path)
    os.chmod(path, 0o755)
    # CAP_SYS_ADMIN, permitted and effective (struct vfs_cap_data, second revision).
    os.setxattr(path, "security.capability", struct.pack("<5I", 0x02000001, 1 << 21, 0, 0, 0))
    is_refused("has file capabilities", "--", path)
    is_refused("has file capabilities", "--lib=libfuse3.so.3", "--", path)
    os.removexattr(path, "security.capability")
    ringfuse("run", "--explain", "--", path)


@claim()
def programs_that_cannot_use_it_are_refused():
    is_refused("linked statically", "--", plain("static", "-static"))
    is_refused("not linked to libfuse3", "--", plain("unrelated"))
    is_refused("for musl", "--", plain("musl", "-Wl,--dynamic-linker=/lib/ld-musl-x86_64.so.1"))
    with open(os.path.join(setup.work, "old.c"), "w", encoding="utf-8") as file:
        file.write("int old(void) { return 0; }\n")
    old = os.path.join(setup.work, "libfuse.so.2")
    run("cc", "-shared", "-fPIC", "-Wl,-soname,libfuse.so.2", "-o", old, os.path.join(setup.work, "old.c"))
    is_refused("libfuse 2", "--", compiled("generation2", "int old(void);\nint main(void) { return old(); }\n", old,
                                           f"-Wl,-rpath,{setup.work}"))
    is_refused("no program that can be found", "--", "no-such-program-at-all")
    is_refused("no ELF program", "--", not_a_program())


def not_a_program():
    path = os.path.join(setup.work, "text")
    with open(path, "w", encoding="utf-8") as file:
        file.write("no program\n")
    os.chmod(path, 0o755)
    return path


@claim()
def scripts_are_judged_by_what_runs_them():
    path = os.path.join(setup.work, "script")
    with open(path, "w", encoding="utf-8") as file:
        file.write("#!/usr/bin/env sh\nexit 7\n")
    os.chmod(path, 0o755)
    is_refused("say which one: --lib=", "--", path)
    found = json.loads(ringfuse("run", "--explain", "--json", "--lib=libfuse3.so.4", "--", path)[0])
    check(found["program"].endswith("/sh") and found["needs"] == "libfuse3.so.4", f"{found}")
    is_refused("not installed", "--lib=libnothing.so.9", "--", path)
    if not setup.sanitizer:   # a program without the sanitizer cannot load a library with it
        ringfuse("run", "--lib=libfuse3.so.3", "--", path, wanted=7)


@claim()
def the_library_is_used_and_children_do_not_get_it():
    if setup.sanitizer:
        print("a program without the sanitizer cannot load a library with it: tried in the plain build only")
        return
    path = with_fuse3()
    same("ringfuse" in run(path, wanted=1), False, "ringfuse in the version of the distribution's library")
    env = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
    printed, said = ringfuse("run", "--transport=dev", "--", path, "a b", wanted=2, env=env)
    rows = dict(row.split("=", 1) for row in printed.splitlines())
    check("ringfuse" in rows["version"], f"not in use: {printed}")
    check(rows["early"].endswith((".so.3", ".so.4")), f"what is started before the first use: {printed}")
    same(rows["child"], " run= transport=dev", "what a child gets")
    same(said, "", "standard error")
    # What the user preloads himself stays, for the program and its children.
    other = compiled("libother.so", "int other;\n", "-shared", "-fPIC")
    printed, _ = ringfuse("run", "--", path, wanted=1, env=dict(env, LD_PRELOAD=other))
    check(f"child={other} run= " in printed, printed)


@claim()
def a_preload_without_our_word_for_it_is_left_alone():
    if setup.sanitizer:
        print("a program without the sanitizer cannot load a library with it: tried in the plain build only")
        return
    library = json.loads(ringfuse("run", "--explain", "--json", "--", with_fuse3())[0])["preload"]
    printed = subprocess.run([with_fuse3()], env=dict(os.environ, LD_PRELOAD=library), stdout=subprocess.PIPE, text=True,
                             check=False, timeout=60).stdout
    check(f"child={library} run= " in printed, printed)


if __name__ == "__main__":
    main()
