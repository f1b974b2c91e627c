#!/usr/bin/env python3
"""The options and configuration members of the path-based API, seen from the mount."""

import errno
import fcntl
import mmap
import os
import stat
import subprocess
import sys
import time

from hl import NO_TIMEOUTS, is_reference, load, mounted, store
from harness import check, claim, fails_with, main, new_directory, same, setup, wait_until


def hidden_in(directory):
    return [name for name in os.listdir(directory) if name.startswith(".fuse_hidden")]


@claim()
def owner_and_mode_are_replaced():
    with mounted("hl_memfs", "uid=1234,gid=4321,umask=027") as mount:
        os.mkdir(mount.path("dir"), 0o700)
        store(mount.path("file"), b"")
        for name, kind in (("dir", stat.S_IFDIR), ("file", stat.S_IFREG)):
            st = os.stat(mount.path(name))
            same((st.st_uid, st.st_gid, st.st_mode), (1234, 4321, kind | 0o750), name)
    with mounted("hl_memfs", "uid=7") as mount:
        store(mount.path("file"), b"")
        os.chmod(mount.path("file"), 0o604)
        st = os.stat(mount.path("file"))
        same((st.st_uid, st.st_gid, stat.S_IMODE(st.st_mode)), (7, 0, 0o604), "only the uid")


@claim()
def files_and_directories_have_masks_of_their_own():
    if is_reference():
        return   # libfuse has these two options from 3.15 on
    with mounted("hl_memfs", "fmask=0177,dmask=022") as mount:
        os.mkdir(mount.path("dir"), 0o700)
        store(mount.path("file"), b"")
        same(stat.S_IMODE(os.stat(mount.path("dir")).st_mode), 0o755, "directory")
        same(stat.S_IMODE(os.stat(mount.path("file")).st_mode), 0o600, "file")


@claim()
def attributes_are_believed_as_long_as_the_timeout_says():
    for timeout, wanted in (("60", 1), ("0", 5)):
        source = new_directory("source")
        store(os.path.join(source, "file"), b"1")
        with mounted("hl_passthrough", f"source={source},attr_timeout={timeout},entry_timeout={timeout}") as mount:
            same(os.stat(mount.path("file")).st_size, 1, "size at first")
            store(os.path.join(source, "file"), b"12345")
            same(os.stat(mount.path("file")).st_size, wanted, f"size with attr_timeout={timeout}")


@claim()
def names_are_believed_as_long_as_the_timeout_says():
    for timeout in ("60", "0"):
        source = new_directory("source")
        store(os.path.join(source, "file"), b"1")
        options = f"source={source},entry_timeout={timeout},attr_timeout={timeout},negative_timeout={timeout}"
        with mounted("hl_passthrough", options) as mount:
            os.stat(mount.path("file"))
            fails_with(errno.ENOENT, os.stat, mount.path("other"))
            os.rename(os.path.join(source, "file"), os.path.join(source, "other"))
            if timeout == "0":
                fails_with(errno.ENOENT, os.stat, mount.path("file"))
                same(os.stat(mount.path("other")).st_size, 1, "size under the new name")
            else:
                same(os.stat(mount.path("file")).st_size, 1, "size under the old name")
                fails_with(errno.ENOENT, os.stat, mount.path("other"))


@claim()
def an_open_file_is_kept_under_a_hidden_name():
    source = new_directory("source")
    with mounted("hl_passthrough", f"source={source}") as mount:
        fd = os.open(mount.path("file"), os.O_CREAT | os.O_RDWR, 0o640)
        os.write(fd, b"before")
        os.unlink(mount.path("file"))
        fails_with(errno.ENOENT, os.stat, mount.path("file"))
        same(len(hidden_in(source)), 1, "hidden names below")
        os.pwrite(fd, b"after", 6)
        same(os.pread(fd, 100, 0), b"beforeafter", "bytes of the file without its name")
        same(os.fstat(fd).st_size, 11, "size")
        os.fchmod(fd, 0o600)
        os.ftruncate(fd, 3)
        store(mount.path("file"), b"another")
        same(os.pread(fd, 100, 0), b"bef", "not the new file")
        os.close(fd)
        wait_until(lambda: os.listdir(source) == ["file"], "the hidden name is gone after the last close")
        same(load(mount.path("file")), b"another", "the new file")


@claim()
def a_file_that_a_rename_replaces_is_kept_too():
    source = new_directory("source")
    with mounted("hl_passthrough", f"source={source}") as mount:
        store(mount.path("new"), b"new")
        fd = os.open(mount.path("old"), os.O_CREAT | os.O_RDWR, 0o640)
        os.write(fd, b"old")
        os.rename(mount.path("new"), mount.path("old"))
        same(len(hidden_in(source)), 1, "hidden names below")
        same(os.pread(fd, 100, 0), b"old", "the replaced file")
        same(load(mount.path("old")), b"new", "the file in its place")
        os.close(fd)
        wait_until(lambda: os.listdir(source) == ["old"], "the hidden name is gone")


@claim()
def hard_remove_removes_at_once():
    with mounted("hl_memfs", "hard_remove,nullpath_ok") as mount:
        fd = os.open(mount.path("file"), os.O_CREAT | os.O_RDWR, 0o640)
        os.write(fd, b"before")
        os.unlink(mount.path("file"))
        same(os.listdir(mount.dir), [], "names")
        os.pwrite(fd, b"after", 6)
        same(os.pread(fd, 100, 0), b"beforeafter", "bytes of the removed file")
        os.close(fd)


@claim()
def inode_numbers_are_the_filesystem_s_with_use_ino():
    with mounted("hl_memfs", "use_ino") as mount:
        store(mount.path("one"), b"")
        os.link(mount.path("one"), mount.path("two"))
        same(os.stat(mount.path("one")).st_ino, os.stat(mount.path("two")).st_ino, "numbers of two names")
        listed = {entry.name: entry.inode() for entry in os.scandir(mount.dir)}
        same(listed["one"], os.stat(mount.path("one")).st_ino, "number in the listing")
    with mounted("hl_memfs") as mount:
        store(mount.path("one"), b"")
        os.link(mount.path("one"), mount.path("two"))
        check(os.stat(mount.path("one")).st_ino != os.stat(mount.path("two")).st_ino, "each name has a number of its own")


@claim()
def listings_have_the_numbers_of_known_names_with_readdir_ino():
    with mounted("hl_memfs", "readdir_ino") as mount:
        for name in ("a", "b", "c"):
            store(mount.path(name), b"")
        numbers = {name: os.stat(mount.path(name)).st_ino for name in ("a", "b", "c")}
        same({entry.name: entry.inode() for entry in os.scandir(mount.dir)}, numbers, "numbers")


@claim()
def direct_io_leaves_the_page_cache_out():
    for options, refused in (("direct_io", True), ("", False)):
        with mounted("hl_memfs", options) as mount:
            store(mount.path("file"), b"x" * 5000)
            with open(mount.path("file"), "r+b") as file:
                if refused:
                    fails_with(errno.ENODEV, mmap.mmap, file.fileno(), 4096)
                else:
                    with mmap.mmap(file.fileno(), 4096) as at:
                        at[0:3] = b"map"
                        at.flush()
            same(load(mount.path("file"))[:3], b"xxx" if refused else b"map", "bytes")


def read_after_a_change_below(options, seconds_later):
    source = new_directory("source")
    path = os.path.join(source, "file")
    store(path, b"1111")
    os.utime(path, (1000, 1000))
    with mounted("hl_passthrough", f"source={source},entry_timeout=60,{options}") as mount:
        same(load(mount.path("file")), b"1111", "at first")
        store(path, b"2222")
        os.utime(path, (1000 + seconds_later, 1000 + seconds_later))
        return load(mount.path("file"))


@claim()
def cached_pages_live_as_long_as_the_options_say():
    same(read_after_a_change_below("attr_timeout=60", 0), b"2222", "open() drops what is cached")
    same(read_after_a_change_below("attr_timeout=60,kernel_cache", 0), b"1111", "kernel_cache keeps it")
    same(read_after_a_change_below("attr_timeout=60,auto_cache", 5), b"2222", "auto_cache sees a new mtime")
    same(read_after_a_change_below("attr_timeout=60,auto_cache", 0), b"1111", "auto_cache keeps what looks the same")


def number_after_forget(options):
    with mounted("hl_memfs", options) as mount:
        store(mount.path("file"), b"x")
        before = os.stat(mount.path("file")).st_ino
        for i in range(20):
            store(mount.path(f"other{i}"), b"")
        with open("/proc/sys/vm/drop_caches", "w", encoding="ascii") as file:
            file.write("2")
        return before == os.stat(mount.path("file")).st_ino


@claim()
def names_are_remembered_as_asked():
    for options in ("noforget", "remember=600"):
        check(number_after_forget(options), f"{options}: the name got another number")


@claim()
def nothing_is_left_of_a_name_that_was_forgotten():
    with mounted("hl_memfs", "remember=1") as mount:
        for i in range(200):
            store(mount.path(f"file{i}"), b"x")
            os.unlink(mount.path(f"file{i}"))
        same(os.listdir(mount.dir), [], "names")


@claim()
def the_module_subdir_shows_a_part():
    source = new_directory("source")
    os.makedirs(os.path.join(source, "part", "deep"))
    store(os.path.join(source, "part", "file"), b"in the part")
    os.symlink("/part/file", os.path.join(source, "part", "deep", "link"))
    with mounted("hl_passthrough", f"source={source},modules=subdir,subdir=/part,rellinks") as mount:
        same(sorted(os.listdir(mount.dir)), ["deep", "file"], "names")
        same(load(mount.path("file")), b"in the part", "bytes")
        same(os.readlink(mount.path("deep", "link")), "../file", "a link that led out, made relative")
        store(mount.path("deep", "new"), b"new")
        os.rename(mount.path("deep", "new"), mount.path("moved"))
        os.link(mount.path("moved"), mount.path("deep", "linked"))
        os.setxattr(mount.path("moved"), "user.a", b"1")
        os.truncate(mount.path("moved"), 1)
    same(load(os.path.join(source, "part", "deep", "linked")), b"n", "what was done shows below")
    with mounted("hl_passthrough", f"source={source},modules=subdir,subdir=/part,norellinks") as mount:
        same(os.readlink(mount.path("deep", "link")), "/part/file", "a link as it is")


@claim()
def the_module_iconv_changes_names():
    source = os.fsencode(new_directory("source"))
    store(os.path.join(source, b"gr\xfc\xdfe"), b"hello")
    os.symlink(b"\xe4", os.path.join(source, b"link"))
    options = f"source={os.fsdecode(source)},modules=iconv,from_code=ISO-8859-1,to_code=UTF-8"
    with mounted("hl_passthrough", options) as mount:
        same(sorted(os.listdir(mount.dir)), ["grüße", "link"], "names")
        same(load(mount.path("grüße")), b"hello", "bytes")
        same(os.readlink(mount.path("link")), "ä", "where the link leads")
        os.mkdir(mount.path("öl"))
        store(mount.path("öl", "é"), b"x")
        fails_with(errno.EILSEQ, os.mkdir, mount.path("日本"))
    same(os.listdir(os.path.join(source, b"\xf6l")), [b"\xe9"], "names below")


@claim()
def modules_are_stacked_in_order():
    source = os.fsencode(new_directory("source"))
    os.makedirs(os.path.join(source, b"\xe4"))
    store(os.path.join(source, b"\xe4", b"\xf6"), b"x")
    options = f"source={os.fsdecode(source)},modules=iconv:subdir,subdir=/ä,from_code=ISO-8859-1,to_code=UTF-8"
    with mounted("hl_passthrough", options) as mount:
        same(os.listdir(mount.dir), ["ö"], "names")


@claim()
def who_waits_for_a_lock_can_be_interrupted():
    waiter = "import fcntl, sys; f = open(sys.argv[1], 'r+'); print('go', flush=True); fcntl.lockf(f, fcntl.LOCK_EX)"
    # libfuse 3.14 kills itself with its own signal if init() sets intr.
    for options in ("",) if is_reference() else ("", "intr"):
        with mounted("hl_memfs", options) as mount:
            store(mount.path("file"), b"x")
            with open(mount.path("file"), "r+b") as file:
                fcntl.lockf(file, fcntl.LOCK_EX)
                with subprocess.Popen([sys.executable, "-S", "-c", waiter, mount.path("file")], stdout=subprocess.PIPE,
                                      text=True) as client:
                    same(client.stdout.readline(), "go\n", "client")
                    with open(f"/proc/{client.pid}/stat", encoding="ascii") as status:
                        wait_until(lambda: status.seek(0) == 0 and status.read().rpartition(") ")[2][0] in "SD", "it waits")
                    # Kernel (6.18): a signal between the queueing of a request and its copy into the ring reaches nobody.
                    time.sleep(0.3)
                    client.terminate()
                    same(client.wait(20 * setup.patience), -15, f"how the client ended with {options!r}")


@claim()
def a_poll_is_told_of_a_write():
    poller = ("import select, sys; f = open(sys.argv[1]); p = select.poll(); p.register(f, select.POLLIN);"
              "print('go', flush=True); print(p.poll(60000) != [], flush=True)")
    with mounted("hl_memfs") as mount:
        store(mount.path("file"), b"")
        with subprocess.Popen([sys.executable, "-S", "-c", poller, mount.path("file")], stdout=subprocess.PIPE,
                              text=True) as client:
            same(client.stdout.readline(), "go\n", "client")
            try:
                client.wait(0.5)
                raise AssertionError("an empty file was ready")
            except subprocess.TimeoutExpired:
                pass
            store(mount.path("file"), b"now")
            same(client.communicate(timeout=20 * setup.patience)[0], "True\n", "what poll said")


@claim()
def unknown_options_are_refused():
    from server import refused
    name = "hl_memfs" + ("_dist" if is_reference() else "")
    printed = refused(name, "no_such_option", transport=setup.transport or "")
    check("no_such_option" in printed, printed)
    refused("hl_passthrough" + ("_dist" if is_reference() else ""),
            f"source={new_directory()},modules=no_such_module", transport=setup.transport or "")
    refused("hl_passthrough" + ("_dist" if is_reference() else ""),
            f"source={new_directory()},modules=subdir", transport=setup.transport or "")


@claim()
def big_directories_are_listed_completely():
    names = sorted(f"entry-{i:05}-{'x' * (i % 60)}" for i in range(1500))
    for options in ("", "no_offsets"):
        with mounted("hl_memfs", f"{options},{NO_TIMEOUTS}".strip(",")) as mount:
            for name in names:
                os.close(os.open(mount.path(name), os.O_CREAT | os.O_WRONLY))
            same(sorted(os.listdir(mount.dir)), names, f"names with {options!r}")
            for name in names[::2]:
                os.unlink(mount.path(name))
            same(sorted(os.listdir(mount.dir)), names[1::2], "names left")


if __name__ == "__main__":
    main()
