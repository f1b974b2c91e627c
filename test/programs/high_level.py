#!/usr/bin/env python3
"""Programs of the distribution that use the path-based API, unmodified, served by our library in the place of the
distribution's: what they did must be the same."""

import errno
import os
import socket
import stat
import subprocess
import time

from libraries import Outcome, Program, clean_environment, compare, end_line, libraries, note, same_lines, settings
from harness import check, claim, fails_with, main, new_directory, run, same, setup, wait_until
from unpacked import unpacked
from works import Churn, digest, hash_of, make_tree, random_file, same_files

STEPS = 300 if settings.full else 80
SFTP_SERVER = "/usr/lib/openssh/sftp-server"


def project(directory):
    """A git repository with something to compile."""
    os.makedirs(directory)
    for i in range(40):
        with open(os.path.join(directory, f"part{i}.c"), "w", encoding="ascii") as file:
            file.write(f"int part{i}(int x)\n{{\n    return x * {i} + {i * i};\n}}\n")
    with open(os.path.join(directory, "main.c"), "w", encoding="ascii") as file:
        file.write("#include <stdio.h>\n" + "".join(f"int part{i}(int);\n" for i in range(40)) +
                   "int main(void)\n{\n    printf(\"%d\\n\", " + " + ".join(f"part{i}({i})" for i in range(40)) +
                   ");\n    return 0;\n}\n")
    with open(os.path.join(directory, "Makefile"), "w", encoding="ascii") as file:
        file.write("OBJS := $(patsubst %.c,%.o,$(wildcard *.c))\nprogram: $(OBJS)\n\tcc -o $@ $^\n%.o: %.c\n\tcc -c -o $@ $<\n")
    git = ["git", "-C", directory, "-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "gc.auto=0"]
    run("git", "init", "-q", directory)
    run(*git, "add", ".")
    run(*git, "commit", "-q", "-m", "all")


def work_of_a_developer(mount):
    """Clone, compile, run, pack and unpack; then writes at random places, held against a model."""
    source = os.path.join(new_directory("project"), "source")
    project(source)
    env = dict(os.environ, GIT_CONFIG_COUNT="1", GIT_CONFIG_KEY_0="safe.directory", GIT_CONFIG_VALUE_0="*")
    run("git", "clone", "-q", "--no-hardlinks", source, mount.path("clone"), env=env)
    same(run("git", "-C", mount.path("clone"), "status", "--porcelain", env=env), "", "git status")
    run("git", "-C", mount.path("clone"), "fsck", "--strict", env=env)
    run("make", "-s", "-C", mount.path("clone"))
    total = run(mount.path("clone", "program"))
    run("tar", "-C", mount.path("clone"), "--exclude=.git", "-cf", mount.path("all.tar"), ".")
    os.mkdir(mount.path("unpacked"))
    run("tar", "-C", mount.path("unpacked"), "-xf", mount.path("all.tar"))
    fsx = os.path.join(setup.build, "test", "client", "fsx_check")
    run(fsx, "-n", 3000 if settings.full else 600, "-S", 3, mount.dir)
    return [total, *digest(mount.path("unpacked"), modes=False)]


def sshfs_agrees(name, *words, env=None):
    def start(library):
        folder = new_directory("remote")
        return Program(library, ["sshfs", "-f", *[str(word).replace("FOLDER", folder) for word in words], "MOUNTPOINT"],
                       env=env)
    compare(name, "git clone, make, tar, random writes", start, work_of_a_developer)


def sftp_without_ssh():
    """A command sshfs can call instead of ssh."""
    path = os.path.join(new_directory("command"), "sftp")
    with open(path, "w", encoding="ascii") as file:
        file.write(f"#!/bin/sh\nunset LD_PRELOAD\nexec {SFTP_SERVER}\n")
    os.chmod(path, 0o755)
    return path


@claim(250)
def sshfs_over_a_pipe():
    sshfs_agrees("sshfs", "-o", f"ssh_command={sftp_without_ssh()}", "host:FOLDER")


@claim(250)
def sshfs_single_threaded():
    sshfs_agrees("sshfs -s", "-s", "-o", f"ssh_command={sftp_without_ssh()}", "host:FOLDER")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Sshd:
    """A daemon of our own on a port of the loopback interface, with keys and accounts of its own. It ends with us."""

    def __init__(self):
        self.folder = new_directory("sshd")
        self.root = unpacked("openssh-server", "libwrap0")
        self.process = None
        self.port = free_port()

    def file(self, name):
        return os.path.join(self.folder, name)

    def _write(self, name, text):
        with open(self.file(name), "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(self.file(name), 0o644)

    def _answers(self):
        with open(self.file("log"), encoding="utf-8", errors="replace") as log:
            check(self.process.poll() is None, log.read())
        return subprocess.run(self.ssh("true"), stderr=subprocess.DEVNULL, check=False).returncode == 0

    def __enter__(self):
        for name in ("host", "user"):
            run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.file(name))
        run("cp", self.file("user.pub"), self.file("authorized"))
        # The unprivileged half of sshd wants an account and a directory; this mount table is ours alone.
        with open("/etc/passwd", encoding="utf-8") as old:
            self._write("passwd", old.read() + "sshd:x:65533:65534::/run/sshd:/usr/sbin/nologin\n")
        run("mount", "--bind", self.file("passwd"), "/etc/passwd")
        run("mount", "-t", "tmpfs", "tmpfs", "/run")
        os.mkdir("/run/sshd", 0o755)
        self._write("config", f"ListenAddress 127.0.0.1:{self.port}\nHostKey {self.file('host')}\nUsePAM no\n"
                              f"StrictModes no\nAuthorizedKeysFile {self.file('authorized')}\nPermitRootLogin yes\n"
                              f"PidFile none\nSubsystem sftp {SFTP_SERVER}\n")
        words = ["setpriv", "--pdeathsig", "TERM", os.path.join(self.root, "usr", "sbin", "sshd"), "-D", "-e", "-f",
                 self.file("config")]
        libraries = os.path.join(self.root, "usr", "lib", "x86_64-linux-gnu")
        with open(self.file("log"), "wb") as log:
            self.process = subprocess.Popen(words, stderr=log, env=dict(os.environ, LD_LIBRARY_PATH=libraries),
                                            start_new_session=True)
        wait_until(self._answers, "sshd answers")
        return self

    def options(self):
        return [f"IdentityFile={self.file('user')}", "StrictHostKeyChecking=no", f"UserKnownHostsFile={self.file('known')}",
                "BatchMode=yes"]

    def ssh(self, *words):
        return ["ssh", "-p", str(self.port), *[word for option in self.options() for word in ("-o", option)],
                "root@127.0.0.1", *words]

    def __exit__(self, *exc):
        self.process.terminate()
        self.process.wait(20 * setup.patience)
        run("umount", "/run")
        run("umount", "/etc/passwd")


@claim(250)
def sshfs_over_ssh():
    with Sshd() as sshd:
        options = [word for option in sshd.options() for word in ("-o", option)]
        sshfs_agrees("sshfs over ssh", "-p", sshd.port, *options, "root@127.0.0.1:FOLDER")


@claim(120)
def a_disk_served_by_nbdfuse():
    def start(library):
        image = random_file(os.path.join(new_directory("nbd"), "image"), 16 << 20)
        return Program(library, ["nbdfuse", "MOUNTPOINT", "[", "qemu-nbd", "-f", "raw", image, "]"])

    def work(mount):
        first = hash_of(mount.path("nbd"))
        fd = os.open(mount.path("nbd"), os.O_RDWR)
        for i in range(200):
            os.pwrite(fd, bytes([i]) * 3000, (i * 7919 * 512) % (15 << 20))
        os.fsync(fd)
        os.close(fd)
        run("mkfs.ext4", "-q", "-F", "-U", "01234567-89ab-cdef-0123-456789abcdef", "-E",
            "hash_seed=01234567-89ab-cdef-0123-456789abcdef,nodiscard", mount.path("nbd"))
        run("e2fsck", "-f", "-n", mount.path("nbd"))
        return [first, str(os.stat(mount.path("nbd")).st_size)]
    compare("nbdfuse", "16 MiB read, 200 writes, ext4 made and checked", start, work)


def packed_tree(names):
    """(a directory, an image of it)"""
    source = new_directory("packed")
    make_tree(source, names)
    os.setxattr(source, "user.packed", b"with attributes")
    run("mksquashfs", source, source + ".sqfs", "-quiet", "-no-progress")
    return source, source + ".sqfs"


@claim(100)
def squashfuse_shows_what_was_packed():
    source, image = packed_tree(1500 if settings.full else 400)
    wanted = digest(source, times=True)

    def work(mount):
        got = digest(mount.dir, times=True)
        same_lines(got, wanted, "image and source")
        return got
    compare("squashfuse", "image read", lambda library: Program(library, ["squashfuse", "-f", image, "MOUNTPOINT"]), work)


@claim(100)
def squashfuse_and_squashfuse_ll_show_the_same():
    _, image = packed_tree(1500 if settings.full else 300)
    for library in libraries():
        with Program(library, ["squashfuse", "-f", image, "MOUNTPOINT"]) as high, \
             Program(library, ["squashfuse_ll", "-f", image, "MOUNTPOINT"]) as low:
            count = same_files(high.dir, low.dir)
        check(count > 300, f"only {count} names were compared")
        if library.is_ours:
            for mount in (high, low):
                same(mount.served()[0], library.transport, f"{mount.words[0]}: transport")


@claim(100)
def lxcfs_shows_a_container_its_numbers():
    root = unpacked("lxcfs")

    def start(library):
        mount = Program(library, [os.path.join(root, "usr", "bin", "lxcfs"), "-f", "-p",
                                  os.path.join(new_directory("lxcfs"), "pid"), "MOUNTPOINT"],
                        env={"LD_LIBRARY_PATH": os.path.join(root, "usr", "lib", "x86_64-linux-gnu", "lxcfs")})
        return mount

    def work(mount):
        lines = []
        for name in sorted(os.listdir(mount.path("proc"))):
            with open(mount.path("proc", name), encoding="ascii", errors="replace") as file:
                # The numbers change; the words at the beginning of the lines do not.
                words = {line.split()[0] for line in file if line.strip() and not line.strip()[0].isdigit()}
            lines.append(" ".join([name, *sorted(words)]))
        for _ in range(200):
            with open(mount.path("proc", "meminfo"), encoding="ascii") as file:
                check(file.readline().startswith("MemTotal:"), "meminfo")
        return lines
    compare("lxcfs", "all files of proc, meminfo 200 times", start, work)


@claim(100)
def rofiles_fuse_keeps_hard_links_from_being_changed():
    def start(library):
        source = new_directory("rofiles")
        make_tree(source)
        os.makedirs(os.path.join(source, "linked"))
        random_file(os.path.join(source, "linked", "one"), 100000)
        os.link(os.path.join(source, "linked", "one"), os.path.join(source, "linked", "two"))
        return Program(library, ["rofiles-fuse", "-f", source, "MOUNTPOINT"])

    def work(mount):
        try:
            with open(mount.path("linked", "one"), "r+b"):
                refused = 0
        except OSError as error:
            refused = error.errno
        random_file(mount.path("linked", "new"), 300000)
        os.rename(mount.path("linked", "new"), mount.path("linked", "renamed"))
        os.unlink(mount.path("linked", "two"))
        os.mkdir(mount.path("linked", "dir"))
        os.symlink("one", mount.path("linked", "symlink"))
        return [str(refused), *digest(mount.dir)]
    compare("rofiles-fuse", "a tree read, new files, a write refused", start, work)


@claim(100)
def revokefs_under_churn():
    binary = os.path.join(unpacked("flatpak"), "usr", "libexec", "revokefs-fuse")

    def start(library):
        source = new_directory("revoke")
        make_tree(source, 60, hard_links=False)   # two names of one file are two files to the kernel for a second
        return Program(library, [binary, "-f", source, "MOUNTPOINT"])
    compare("revokefs-fuse", f"{STEPS} changes", start, lambda mount: Churn(mount.dir, 3, links=False).run(STEPS))


@claim(100)
def vmblock_holds_who_follows_a_blocked_link():
    binary = os.path.join(unpacked("open-vm-tools", "libmspack0"), "usr", "bin", "vmware-vmblock-fuse")

    def start(library):
        return Program(library, [binary, "-f", "-o", "subtype=vmware-vmblock,default_permissions,allow_other",
                                 "MOUNTPOINT"])

    def work(mount):
        folder = "/tmp/VMwareDnD"   # where its links lead, whatever the mountpoint is
        os.makedirs(os.path.join(folder, "one"), exist_ok=True)
        lines = [f"{name} {stat.filemode(os.lstat(mount.path(name)).st_mode)}" for name in sorted(os.listdir(mount.dir))]
        link = mount.path("blockdir", "one")
        for _ in range(200):
            lines[2:] = [os.readlink(link)]
        control = os.open(mount.path("dev"), os.O_RDWR)
        os.write(control, b"a" + os.path.join(folder, "one").encode())
        with subprocess.Popen(["readlink", link], stdout=subprocess.PIPE, text=True) as reader:
            time.sleep(0.5)
            lines.append(f"held: {reader.poll() is None}")
            os.close(control)   # takes all its blocks away
            lines.append(reader.communicate(timeout=20 * setup.patience)[0])
        return lines
    compare("vmware-vmblock-fuse", "200 links read, one held until its block was gone", start, work)


@claim(150)
def tup_builds_what_its_rules_say():
    reference = None
    for library in libraries():
        folder = new_directory("tup")
        for i in range(12):
            with open(os.path.join(folder, f"file{i}.c"), "w", encoding="ascii") as file:
                file.write(f"int f{i}(void) {{ return {i}; }}\n" + ("int main(void) { return f0(); }\n" if i == 0 else ""))
        with open(os.path.join(folder, "Tupfile"), "w", encoding="ascii") as file:
            file.write(": foreach *.c |> gcc -c %f -o %o |> %B.o\n: *.o |> gcc %f -o %o |> program\n")
        env = dict(clean_environment(), **library.environment())
        begin = time.monotonic()
        run("tup", "init", cwd=folder, env=env)
        said = run("tup", cwd=folder, env=env)
        again = run("tup", cwd=folder, env=env)
        outcome = Outcome([name for name in sorted(os.listdir(folder)) if not name.startswith(".")],
                          time.monotonic() - begin, end_line(said))
        check("No commands to execute" in again, again)
        run(os.path.join(folder, "program"))
        reference = reference or outcome
        same_lines(outcome.result, reference.result, f"tup with {library.name}")
        note("tup", "13 commands traced", library, outcome, reference)


@claim(150)
def gvfsd_fuse_serves_the_session():
    """A gvfs session whose only mount is the machine's own tree (gvfsd-localtest), seen through gvfsd-fuse."""
    root = unpacked("gvfs", "gvfs-backends", "gvfs-common", "gvfs-daemons", "gvfs-fuse", "gvfs-libs", "libgck-1-0",
                    "libgcr-base-3-1", "libsecret-1-0", "libgudev-1.0-0", "libudisks2-0")
    libexec, libdir = os.path.join(root, "usr", "libexec"), os.path.join(root, "usr", "lib", "x86_64-linux-gnu")

    def start(library):
        wanted = library.environment()
        inner = " ".join(f"{name}='{value}'" for name, value in wanted.items() if name != "LD_LIBRARY_PATH")
        path = ":".join(filter(None, [wanted.get("LD_LIBRARY_PATH"), libdir, libdir + "/gvfs"]))
        script = (f"export LD_LIBRARY_PATH={libdir}:{libdir}/gvfs GIO_EXTRA_MODULES={libdir}/gio/modules; "
                  f"{libexec}/gvfsd --no-fuse & daemon=$!; "
                  "until dbus-send --print-reply=literal --dest=org.freedesktop.DBus / "
                  "org.freedesktop.DBus.NameHasOwner string:org.gtk.vfs.Daemon | grep -q true; do sleep 0.1; done; "
                  f"{libexec}/gvfsd-localtest type=localtest >/dev/null & backend=$!; "
                  f"{inner} LD_LIBRARY_PATH={path} {libexec}/gvfsd-fuse -f MOUNTPOINT; kill $backend $daemon")
        return Program(library, ["dbus-run-session", "--", "sh", "-c", script], inside=True)

    def work(mount):
        below = new_directory("gvfs")
        seen = mount.path("localtest:" + below)
        os.makedirs(os.path.join(seen, "dir", "deeper"))
        for i in range(STEPS):
            random_file(os.path.join(seen, "dir", f"file-{i}"), i * 1000, seed=i)
        for i in range(0, STEPS, 3):
            os.unlink(os.path.join(seen, "dir", f"file-{i}"))
        for i in range(1, STEPS, 3):
            os.rename(os.path.join(seen, "dir", f"file-{i}"), os.path.join(seen, "dir", "deeper", f"moved-{i}"))
        os.chmod(os.path.join(seen, "dir", "file-2"), 0o600)
        fails_with(errno.ENOENT, os.stat, os.path.join(seen, "nothing"))
        lines = digest(seen)
        same_lines(lines, digest(below), "through the mount and below it")
        return lines
    compare("gvfsd-fuse", f"{STEPS} files written, moved, removed, read", start, work,
            ready=lambda mount: wait_until(lambda: os.path.isdir(mount.path("localtest:")), "gvfsd shows its mount"))


if __name__ == "__main__":
    main()
