"""Every public header compiles alone, in every language and for every FUSE_USE_VERSION.

usage: header_alone.py INCLUDE_DIR C_COMPILER CXX_COMPILER   (compilers may be several words)

Also: versions that are not supported are refused, and the wrappers import exactly the symbols they should.
"""

import itertools
import pathlib
import shlex
import subprocess
import sys
import tempfile

include_dir = pathlib.Path(sys.argv[1])
cc, cxx = shlex.split(sys.argv[2]), shlex.split(sys.argv[3])
fuse3_dir = include_dir / "fuse3"

VERSIONS = [30, 31, 32, 34, 35, 312, 314, 317, 318, 319]
LANGUAGES = [(cc, "c99", "c"), (cc, "c11", "c"), (cxx, "c++17", "c++"), (cxx, "c++20", "c++")]
STRICT = ["-pedantic", "-Wall", "-Wextra", "-Werror"]
# Headers whose declarations depend on the version, which therefore must be given.
NEED_VERSION = {"cuse_lowlevel.h", "fuse.h", "fuse_common.h", "fuse_lowlevel.h"}

# What a program that uses each version-dependent function must import, by version.
IMPORTS = {
    "always": {"fuse_session_new_versioned", "fuse_parse_cmdline", "fuse_session_custom_io_317",
               "fuse_lowlevel_notify_expire_entry", "fuse_lowlevel_notify_inval_entry",
               "fuse_main_real_versioned", "fuse_fs_ioctl", "cuse_lowlevel_new_319", "cuse_lowlevel_setup_319",
               "cuse_lowlevel_main_319"},
    "below 31": {"_fuse_new_30"},
    "from 31": {"_fuse_new_31"},
    "below 32": {"fuse_session_loop_mt_31", "fuse_loop_mt_31"},
    "32 to 311": {"fuse_session_loop_mt_32", "fuse_loop_mt_32"},
    "from 312": {"fuse_session_loop_mt", "fuse_loop_mt", "fuse_loop_cfg_create"},
}

USER = """
#include <fuse.h>
#include <fuse_lowlevel.h>
#include <cuse_lowlevel.h>
#if FUSE_USE_VERSION < 35
typedef int command;
#else
typedef unsigned int command;
#endif
#if FUSE_USE_VERSION < 319
typedef int device_command;
#else
typedef unsigned int device_command;
#endif
static void on_device_ioctl(fuse_req_t req, device_command cmd, void *arg, struct fuse_file_info *fi,
                            unsigned flags, const void *in, size_t in_size, size_t out_size)
{
    (void)req; (void)cmd; (void)arg; (void)fi; (void)flags; (void)in; (void)in_size; (void)out_size;
}
static void on_ioctl(fuse_req_t req, fuse_ino_t ino, command cmd, void *arg, struct fuse_file_info *fi,
                     unsigned flags, const void *in, size_t in_size, size_t out_size)
{
    (void)req; (void)ino; (void)cmd; (void)arg; (void)fi; (void)flags; (void)in; (void)in_size; (void)out_size;
}
static int on_path_ioctl(const char *path, command cmd, void *arg, struct fuse_file_info *fi, unsigned flags,
                         void *data)
{
    return fuse_fs_ioctl((struct fuse_fs *)0, path, cmd, arg, fi, flags, data);
}
static struct fuse_fs *make(struct fuse_args *args, struct fuse_fs *fs[])
{
    (void)args;
    return fs[0];
}
FUSE_REGISTER_MODULE(probe, make);
int use(int argc, char **argv);
int use(int argc, char **argv)
{
    struct fuse_args args = FUSE_ARGS_INIT(argc, argv);
    static const struct fuse_opt table[] = { FUSE_OPT_KEY("-x", 1), FUSE_OPT_END };
    struct fuse_cmdline_opts opts;
    struct fuse_lowlevel_ops ops = { ZERO };
    struct fuse_custom_io io = { ZERO };
    struct fuse_operations path_ops = { ZERO };
    struct cuse_info device = { ZERO };
    struct cuse_lowlevel_ops device_ops = { ZERO };
    device_ops.ioctl = on_device_ioctl;
    path_ops.ioctl = on_path_ioctl;
    ops.ioctl = on_ioctl;
    if (fuse_parse_cmdline(&args, &opts) || !table[0].templ)
        return 1;
    struct fuse_session *se = fuse_session_new(&args, &ops, sizeof(ops), &opts);
    int rc = fuse_lowlevel_notify_expire_entry(se, FUSE_ROOT_ID, "a", 1);
    rc |= fuse_lowlevel_notify_expire_entry(se, FUSE_ROOT_ID, "a", 1, FUSE_LL_EXPIRE_ONLY);
    rc |= fuse_main(argc, argv, &path_ops, &opts) | fuse_main_real(argc, argv, &path_ops, sizeof(path_ops), &opts);
    rc |= cuse_lowlevel_main(argc, argv, &device, &device_ops, &opts);
    if (cuse_lowlevel_new(&args, &device, &device_ops, &opts) ||
        cuse_lowlevel_setup(argc, argv, &device, &device_ops, &rc, &opts))
        return 1;
    struct fuse *f = fuse_new(&args, &path_ops, sizeof(path_ops), &opts);
#if FUSE_USE_VERSION >= FUSE_MAKE_VERSION(3, 17)
    rc |= fuse_session_custom_io(se, &io, sizeof(io), 0);
#else
    rc |= fuse_session_custom_io(se, &io, 0);
#endif
#if FUSE_USE_VERSION < 32
    return rc | fuse_session_loop_mt(se, 1) | fuse_loop_mt(f, 1);
#elif FUSE_USE_VERSION < FUSE_MAKE_VERSION(3, 12)
    struct fuse_loop_config config = { 1, 10 };
    return rc | fuse_session_loop_mt(se, &config) | fuse_loop_mt(f, &config);
#else
    struct fuse_loop_config *config = fuse_loop_cfg_create();
    return rc | fuse_session_loop_mt(se, config) | fuse_loop_mt(f, config);
#endif
}
size_t need(int size);
size_t need(int size)
{
    struct fuse_bufvec v = FUSE_BUFVEC_INIT(size);
    return v.buf[0].size + v.buf[0].mem_size + (size_t)v.buf[0].fd;
}
"""

failures = []
runs = 0


def compile_text(text, compiler, standard, language, *flags):
    """Compiles `text` without output; returns (accepted, messages)."""
    global runs
    runs += 1
    command = [*compiler, f"-std={standard}", "-x", language, *STRICT, f"-I{fuse3_dir}", f"-I{include_dir}", *flags,
               "-fsyntax-only", "-"]
    done = subprocess.run(command, input=text, text=True, capture_output=True, check=False)
    return done.returncode == 0, done.stderr


def expect(wanted, what, result):
    accepted, messages = result
    if accepted != wanted:
        failures.append(f"{what}: {'rejected' if wanted else 'accepted'}\n{messages}")


headers = sorted(path.name for path in fuse3_dir.glob("*.h"))
if not headers:
    sys.exit(f"{fuse3_dir}: no headers")
spellings = [(name, f"<{name}>") for name in headers] + [(name, f"<fuse3/{name}>") for name in headers]
spellings.append(("ringfuse.h", "<ringfuse/ringfuse.h>"))

for (name, spelling), (compiler, standard, language) in itertools.product(spellings, LANGUAGES):
    # A declaration after it, since a translation unit must not be empty; twice, for the include guard.
    text = f"#include {spelling}\n#include {spelling}\nextern int not_empty;\n"
    for version in VERSIONS:
        expect(True, f"{spelling} {standard} FUSE_USE_VERSION={version}",
               compile_text(text, compiler, standard, language, f"-DFUSE_USE_VERSION={version}"))
    needs_version = name in NEED_VERSION
    expect(not needs_version, f"{spelling} {standard} without FUSE_USE_VERSION",
           compile_text(text, compiler, standard, language))
    for version in (26, 29):
        expect(not needs_version, f"{spelling} {standard} FUSE_USE_VERSION={version}",
               compile_text(text, compiler, standard, language, f"-DFUSE_USE_VERSION={version}"))

# The library's own view exists for the newest version only.
for name in ("cuse_lowlevel.h", "fuse.h", "fuse_lowlevel.h"):
    expect(True, f"library view of {name}",
           compile_text(f"#include <{name}>\nextern int not_empty;\n", cxx, "c++20", "c++", "-DFUSE_USE_VERSION=319",
                        "-DRINGFUSE_BUILDING_LIBRARY"))

with tempfile.TemporaryDirectory() as scratch:
    for version, (compiler, standard, language) in itertools.product(VERSIONS, LANGUAGES):
        source, target = pathlib.Path(scratch, "user.c"), pathlib.Path(scratch, "user.o")
        source.write_text(USER.replace("{ ZERO }", "{}" if language == "c++" else "{ 0 }"), encoding="utf-8")
        done = subprocess.run([*compiler, f"-std={standard}", "-x", language, "-Wall", "-Wextra", "-Werror",
                               "-Wno-missing-field-initializers", f"-I{fuse3_dir}",
                               f"-DFUSE_USE_VERSION={version}", "-c", "-o", target, source],
                              text=True, capture_output=True, check=False)
        what = f"program for {version} in {standard}"
        if done.returncode:
            failures.append(f"{what}: rejected\n{done.stderr}")
            continue
        listing = subprocess.run(["nm", "-u", target], text=True, capture_output=True, check=True).stdout
        imported = {line.split()[-1] for line in listing.splitlines() if "use_" in line}
        group = "below 32" if version < 32 else "32 to 311" if version < 312 else "from 312"
        wanted = IMPORTS["always"] | IMPORTS[group] | IMPORTS["below 31" if version < 31 else "from 31"]
        if imported != wanted:
            failures.append(f"{what}: imports {sorted(imported)}, must be {sorted(wanted)}")

print("\n".join(failures))
print(f"{len(headers) + 1} headers, {runs} compilations, {len(failures)} wrong")
sys.exit(1 if failures else 0)
