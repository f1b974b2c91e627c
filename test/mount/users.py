#!/usr/bin/env python3
"""Mounts of a user without privileges, made by the distribution's fusermount3."""

import errno
import os
import signal
import subprocess

from harness import as_user, check, claim, fails_with, main, plain_user, run, same, setup, wait_until
from hello import TEXT
from server import Mount, find_mount, refused

CONF = "/etc/fuse.conf"
_private = []


def set_user_allow_other(allowed):
    """fusermount3 reads the system's file; in this script's own mount table another lies over it."""
    path = os.path.join(setup.work, "fuse.conf")
    with open(path, "w", encoding="ascii") as file:
        file.write("user_allow_other\n" if allowed else "# nothing allowed\n")
    os.chmod(path, 0o644)
    if not _private:
        run("mount", "--bind", path, CONF)
        _private.append(path)


@claim()
def a_user_reads_what_the_user_mounted():
    set_user_allow_other(False)
    user = plain_user()
    with Mount("hello_ll", user=user) as mount:
        same(as_user(user, "cat", mount.path("hello")), TEXT, "text")
        same(as_user(user, "ls", "-A", mount.dir).split(), ["dir", "hello"], "names")
        check(f"user_id={user.pw_uid}," in find_mount(mount.dir)[2], f"{find_mount(mount.dir)}")
        fails_with(errno.EACCES, os.stat, mount.path("hello"))   # not even root
        for _ in range(30):
            as_user(user, "stat", mount.path("dir"))
    transport, ring, device, _, _ = mount.counts()
    same(transport, setup.transport, "transport")
    check((ring if transport == "fuse_uring" else device) > 5, f"ring={ring} device={device}")


@claim()
def the_user_unmounts_it():
    user = plain_user()
    with Mount("hello_ll", user=user) as mount:
        same(as_user(user, "cat", mount.path("hello")), TEXT, "text")
        as_user(user, "fusermount3", "-u", mount.dir)
        mount.expect_end()


@claim()
def signals_end_it_and_it_unmounts():
    user = plain_user()
    for number in (signal.SIGTERM, signal.SIGINT):
        with Mount("hello_ll", user=user) as mount:
            same(as_user(user, "cat", mount.path("hello")), TEXT, "text")
            mount.process.send_signal(number)
            mount.expect_end()


@claim()
def others_are_let_in_only_where_the_administrator_allows_it():
    user = plain_user()
    set_user_allow_other(False)
    printed = refused("hello_ll", "allow_other", transport=setup.transport, user=user, code=2)
    check("user_allow_other" in printed, f"printed:\n{printed}")
    set_user_allow_other(True)
    with Mount("hello_ll", "allow_other", user=user) as mount:
        check("allow_other" in find_mount(mount.dir)[2], f"{find_mount(mount.dir)}")
        same(run("cat", mount.path("hello")), TEXT, "text as root")
        same(run("setpriv", "--reuid=65534", "--clear-groups", "cat", mount.path("hello")), TEXT, "text as another user")
    set_user_allow_other(False)


@claim()
def allow_root_lets_root_in_and_nobody_else():
    user = plain_user()
    set_user_allow_other(True)
    with Mount("hello_ll", "allow_root", user=user) as mount:
        same(run("cat", mount.path("hello")), TEXT, "text as root")
        same(as_user(user, "cat", mount.path("hello")), TEXT, "text as the user")
        printed = run("setpriv", "--reuid=65534", "--clear-groups", "cat", mount.path("hello"), wanted=1)
        check("Permission denied" in printed, printed)
    set_user_allow_other(False)


@claim()
def a_directory_of_somebody_else_is_refused():
    printed = refused("hello_ll", transport=setup.transport, user=plain_user(), directory="/usr", code=2)
    check("/usr" in printed, f"printed:\n{printed}")


# fusermount3 3.14 looks at the dead mount as root, which a mount without allow_other denies before it can say ENOTCONN.
@claim()
def auto_unmount_cleans_up_after_a_kill():
    set_user_allow_other(True)
    for user, options in ((plain_user(), "auto_unmount,allow_other"), (None, "auto_unmount")):
        with Mount("hello_ll", options, user=user, code=-signal.SIGKILL) as mount:
            same(run("cat", mount.path("hello")), TEXT, "text")
            mount.process.kill()
            wait_until(lambda: not find_mount(mount.dir), "the helper unmounts")
    set_user_allow_other(False)


@claim()
def auto_unmount_leaves_no_helper_behind():
    set_user_allow_other(True)
    with Mount("hello_ll", "auto_unmount,allow_other", user=plain_user()) as mount:
        same(run("cat", mount.path("hello")), TEXT, "text")
        helpers = subprocess.run(["pgrep", "-f", f"fusermount3.*{mount.dir}"], stdout=subprocess.PIPE, check=False)
        check(helpers.stdout, "no helper watches")
    wait_until(lambda: subprocess.run(["pgrep", "-f", f"fusermount3.*{mount.dir}"], stdout=subprocess.DEVNULL,
                                      check=False).returncode == 1, "the helper has ended")
    set_user_allow_other(False)


if __name__ == "__main__":
    main()
