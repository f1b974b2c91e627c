#!/usr/bin/env python3
"""Programs of the distribution that use the low-level API, unmodified, served by our library in the place of the
distribution's: what they did must be the same."""

import os
import signal
import subprocess
import time

from libraries import Outcome, Program, clean_environment, compare, end_line, libraries, note, same_lines, settings
from command import ringfuse
from harness import check, claim, main, new_directory, run, same
from works import Churn, digest, hash_of, make_tree, random_file

STEPS = 400 if settings.full else 120


def overlay(library, options=""):
    directory = new_directory("overlay")
    lower, upper, work = (os.path.join(directory, name) for name in ("lower", "upper", "work"))
    for path in (lower, upper, work):
        os.mkdir(path)
    make_tree(lower, hard_links=False)   # an overlay copies one name of a file up, not all
    return Program(library, ["fuse-overlayfs", "-f", "-o",
                             f"lowerdir={lower},upperdir={upper},workdir={work}{options}", "MOUNTPOINT"])


def churned_plainly():
    plain = new_directory("plain")
    make_tree(plain, hard_links=False)
    return Churn(plain, 7, links=False).run(STEPS)


def overlay_agrees(name, options):
    wanted = churned_plainly()

    def work(mount):
        got = Churn(mount.dir, 7, links=False).run(STEPS)
        same_lines(got, wanted, f"{name}: the overlay and a plain directory")
        return got
    compare(name, f"{STEPS} changes over a lower layer", lambda library: overlay(library, options), work)


@claim(200)
def an_overlay_under_churn_equals_a_plain_directory():
    overlay_agrees("fuse-overlayfs", "")


@claim(200)
def a_threaded_overlay_does_too():
    overlay_agrees("fuse-overlayfs threaded", ",threaded=1")


@claim(100)
def squashfuse_ll_shows_what_was_packed():
    source = new_directory("packed")
    make_tree(source, 1500 if settings.full else 400)
    image = source + ".sqfs"
    run("mksquashfs", source, image, "-quiet", "-no-progress")
    wanted = digest(source, times=True)

    def work(mount):
        got = digest(mount.dir, times=True)
        same_lines(got, wanted, "image and source")
        return got
    compare("squashfuse_ll", "image read", lambda library: Program(library, ["squashfuse_ll", "-f", image, "MOUNTPOINT"]),
            work)


@claim(100)
def a_python_filesystem_with_an_event_loop_of_its_own():
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "pyfuse3_fs.py")

    def work(mount):
        for i in range(100):
            random_file(mount.path(f"file{i}"), 1000 * i, i)
        for i in range(0, 100, 3):
            os.unlink(mount.path(f"file{i}"))
        return digest(mount.dir)
    compare("pyfuse3", "100 files written, read, 34 removed",
            lambda library: Program(library, ["/usr/bin/python3", script, "MOUNTPOINT"]), work, own_loop=True)


@claim(100)
def a_disk_image_exported_by_qemu():
    def start(library):
        folder = new_directory("qemu")
        image, mountpoint = os.path.join(folder, "image"), os.path.join(folder, "export")
        run("qemu-img", "create", "-q", "-f", "qcow2", image, "64M")
        with open(mountpoint, "wb"):
            pass
        mount = Program(library, ["qemu-storage-daemon", "--blockdev", f"driver=file,node-name=file,filename={image}",
                                  "--blockdev", "driver=qcow2,node-name=disk,file=file", "--export",
                                  "type=fuse,id=e,node-name=disk,mountpoint=MOUNTPOINT,writable=on"],
                        directory=mountpoint, ended_by=signal.SIGTERM)
        mount.image = image
        return mount

    def work(mount):
        run("mkfs.ext4", "-q", "-F", "-U", "01234567-89ab-cdef-0123-456789abcdef", "-E",
            "hash_seed=01234567-89ab-cdef-0123-456789abcdef", mount.dir)
        run("e2fsck", "-f", "-n", mount.dir)
        fd = os.open(mount.dir, os.O_RDWR)
        with open(random_file(mount.image + ".data", 8 << 20), "rb") as data:
            os.pwrite(fd, data.read(), 40 << 20)
        os.close(fd)
        with open(mount.dir, "rb") as file:
            file.seek(40 << 20)
            return hash_of_bytes(file.read(8 << 20))
    mounts = []
    compare("qemu-storage-daemon", "ext4 made on a qcow2 export, 8 MiB written",
            lambda library: mounts.append(start(library)) or mounts[-1], work, own_loop=True)
    for mount in mounts:
        run("qemu-img", "check", "-q", mount.image)


def hash_of_bytes(data):
    path = os.path.join(new_directory(), "bytes")
    with open(path, "wb") as file:
        file.write(data)
    return hash_of(path)


@claim(100)
def a_document_exported_by_the_portal():
    client = os.path.join(os.path.dirname(os.path.abspath(__file__)), "portal_client.py")

    def start(library):
        runtime = new_directory("runtime")
        os.chmod(runtime, 0o700)
        os.mkdir(os.path.join(runtime, "home"))
        ours = " ".join(f"{name}='{value}'" for name, value in library.environment().items())
        script = ("echo $DBUS_SESSION_BUS_ADDRESS > $XDG_RUNTIME_DIR/bus; /usr/libexec/xdg-permission-store & "
                  f"{ours} /usr/libexec/xdg-document-portal; kill $! 2>/dev/null; true")
        return Program(library, ["dbus-run-session", "--", "sh", "-c", script], directory=os.path.join(runtime, "doc"),
                       env={"XDG_RUNTIME_DIR": runtime, "HOME": os.path.join(runtime, "home")}, inside=True)

    def work(mount):
        folder = os.path.dirname(mount.dir)
        path = random_file(os.path.join(folder, "document"), 300000)
        with open(os.path.join(folder, "bus"), encoding="ascii") as file:
            env = dict(os.environ, DBUS_SESSION_BUS_ADDRESS=file.read().strip())
        name = run("/usr/bin/python3", client, path, env=env).strip()
        same(hash_of(mount.path(name, "document")), hash_of(path), "the document")
        fd = os.open(mount.path(name, "document"), os.O_RDWR)
        for i in range(200):
            os.pwrite(fd, b"%5d" % i, i * 1000)
        os.close(fd)
        random_file(mount.path(name, "document.new"), 200000, 9)
        os.rename(mount.path(name, "document.new"), mount.path(name, "document"))
        return [hash_of(path), *sorted(name for name in os.listdir(mount.dir) if name != "by-app" and len(name) > 20)]
    compare("xdg-document-portal", "a document exported, read, written and replaced", start, work)


def small_root():
    """A root directory in which sh runs."""
    root = new_directory("root")
    for folder in ("bin", "dev", "etc", "home", "proc", "sys", "tmp", "run", "usr/bin", "root", "lib64"):
        os.makedirs(os.path.join(root, folder), exist_ok=True)
    for name in ("group", "hosts", "passwd", "resolv.conf", "hostname"):
        with open(os.path.join(root, "etc", name), "wb"):
            pass
    for program in ("/bin/sh", "/usr/bin/sha256sum", "/bin/cat"):
        needed = [word for word in run("ldd", program).split() if word.startswith("/")]
        for path in [program, *needed]:
            os.makedirs(root + os.path.dirname(path), exist_ok=True)
            run("cp", "-L", path, root + path)
    random_file(os.path.join(root, "root", "data"), 3 << 20)
    return root


@claim(100)
def a_container_of_charliecloud_runs_from_its_image():
    root = small_root()
    image = root + ".sqfs"
    run("mksquashfs", root, image, "-quiet", "-no-progress")
    wanted = hash_of(os.path.join(root, "root", "data"))
    reference = None
    for library in libraries():
        begin = time.monotonic()
        ended = subprocess.run(["ch-run", "--unset-env=LD_*", "-m", new_directory("ch"), image, "--",
                                "/usr/bin/sha256sum", "/root/data"],
                               env=dict(clean_environment(), USER="root", HOME="/root", **library.environment()), text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, check=False)
        outcome = Outcome(ended.stdout.split()[:1], time.monotonic() - begin, end_line(ended.stderr))
        check(ended.returncode == 0 and outcome.result == [wanted], f"{library.name}: {ended}")
        reference = reference or outcome
        note("ch-run", "a program run from a squashfs image", library, outcome, reference)
    # What runs in the container sees nothing of the preload, though it gets the environment as it is.
    for transport in ("fuse_uring", "dev"):
        printed, said = ringfuse("run", f"--transport={transport}", "--verbose", "--", "ch-run", "-m", new_directory("ch"), image,
                                 "--", "/bin/sh", "-c",
                                 "echo ${LD_PRELOAD-none} ${RINGFUSE_RUN-none}; sha256sum /root/data; cat /proc/self/maps",
                                 env=dict(clean_environment(), USER="root", HOME="/root"))
        lines = printed.splitlines()
        same(lines[0], "none none", "LD_PRELOAD and RINGFUSE_RUN in the container")
        same(lines[1].split()[0], wanted, "the file")
        check("libfuse3" not in printed, printed)
        same((end_line(said) or [said])[0], transport, "transport")


if __name__ == "__main__":
    main()
