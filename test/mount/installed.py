#!/usr/bin/env python3
"""What a developer does with an installed copy: pkg-config, both spellings of the include, compile, run. The same source
builds against the distribution's fuse3."""

import os
import shlex
import subprocess

from harness import check, claim, main, new_directory, run, same, setup
from hello import TEXT
from server import Mount, find_mount, wait_until

# An application's compiler has to accept every word the library adds, so nothing of the build's own flags is used.
STRICT = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-O1"]


def install():
    root = new_directory("destdir")
    run("meson", "install", "-C", setup.build, "--no-rebuild", "--destdir", root)
    found = [folder for folder, _, files in os.walk(root) if "ringfuse.pc" in files]
    same(len(found), 1, f"directories with ringfuse.pc below {root}: {found}")
    return root, found[0]


def pkg_config(name, *words, root="", path=""):
    env = dict(os.environ)
    if root:
        env.update(PKG_CONFIG_SYSROOT_DIR=root, PKG_CONFIG_PATH=path)
    return shlex.split(run("pkg-config", *words, name, env=env))


def spelled(folder, spelling):
    """A copy of hello_ll.c with its helper, which include the API in the other way."""
    os.makedirs(folder)
    for name in ("hello_ll.c", "fs_main.c", "fs_main.h"):
        with open(os.path.join(setup.source, "test", "fs", name), encoding="ascii") as file:
            text = file.read()
        with open(os.path.join(folder, name), "w", encoding="ascii") as file:
            file.write(text.replace("#include <fuse_lowlevel.h>", f"#include <{spelling}>"))
    return [os.path.join(folder, "hello_ll.c"), os.path.join(folder, "fs_main.c")]


def compile_hello(spelling, flags, libs, compiler=("gcc", *STRICT)):
    folder = os.path.join(new_directory("app"), "src")
    sources = spelled(folder, spelling)
    binary = os.path.join(folder, "hello")
    sanitize = [f"-fsanitize={setup.sanitizer},undefined" if setup.sanitizer == "address" else "-fsanitize=thread"]
    run(*compiler, *(sanitize if setup.sanitizer else []), "-D_GNU_SOURCE", *flags, *sources, "-o", binary, *libs)
    return binary


def serve(binary, env):
    directory = new_directory()
    process = subprocess.Popen([binary, "-f", directory], env=dict(os.environ, **env), stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)
    try:
        wait_until(lambda: find_mount(directory) or process.poll() is not None, f"{binary} is mounted")
        same(process.poll(), None, "exit code before the mount was there")
        same(run("cat", os.path.join(directory, "hello")), TEXT, "text")
        run("umount", directory)
        printed, _ = process.communicate(timeout=20 * setup.patience)
        same(process.returncode, 0, f"exit code; printed:\n{printed}\n")
        return printed
    finally:
        if find_mount(directory):
            run("umount", "-l", directory)
        if process.poll() is None:
            process.kill()


@claim(90)
def a_program_is_built_with_pkg_config_ringfuse_and_runs():
    root, path = install()
    flags, libs = (pkg_config("ringfuse", word, root=root, path=path) for word in ("--cflags", "--libs"))
    library_dir = next(word[2:] for word in libs if word.startswith("-L"))
    check(library_dir.startswith(root), f"libs: {libs}")
    for spelling in ("fuse_lowlevel.h", "fuse3/fuse_lowlevel.h"):
        binary = compile_hello(spelling, flags, libs)
        needed = run("readelf", "-d", binary)
        check("libringfuse.so.1" in needed and "libfuse3" not in needed, needed)
        check("libstdc++" not in needed, f"a C program needs the C++ library:\n{needed}")
        printed = serve(binary, {"LD_LIBRARY_PATH": library_dir, "RINGFUSE_VERBOSE": "1"})
        check("ringfuse: transport=fuse_uring" in printed, f"printed:\n{printed}")


@claim(90)
def the_headers_suit_a_cxx_program():
    root, path = install()
    flags, libs = (pkg_config("ringfuse", word, root=root, path=path) for word in ("--cflags", "--libs"))
    source = os.path.join(new_directory(), "version.cpp")
    with open(source, "w", encoding="ascii") as file:
        file.write("#define FUSE_USE_VERSION 319\n#include <fuse_lowlevel.h>\n#include <cstdio>\n"
                   "int main() { fuse_lowlevel_ops ops{}; ops.init = nullptr;\n"
                   "  std::printf(\"%d %s\\n\", fuse_version(), fuse_pkgversion()); return ops.init ? 1 : 0; }\n")
    library_dir = next(word[2:] for word in libs if word.startswith("-L"))
    for standard in ("c++11", "c++20"):
        binary = source[:-4]
        run("g++", f"-std={standard}", "-Wall", "-Wextra", "-Werror", *flags, source, "-o", binary, *libs,
            *([f"-fsanitize={setup.sanitizer}"] if setup.sanitizer else []))
        number = run(binary, env=dict(os.environ, LD_LIBRARY_PATH=library_dir)).split()[0]
        check(int(number) >= 319, f"version {number}")


@claim(90)
def the_same_source_is_built_with_pkg_config_fuse3():
    flags, libs = (pkg_config("fuse3", word) for word in ("--cflags", "--libs"))
    binary = compile_hello("fuse_lowlevel.h", flags, libs, compiler=("gcc", "-std=gnu11", "-Wall", "-Wextra", "-Werror"))
    check("libfuse3.so.3" in run("readelf", "-d", binary), "not linked to libfuse3")
    serve(binary, {})


if __name__ == "__main__":
    main()
