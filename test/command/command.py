"""Runs the `ringfuse` command of the build, for the scripts of this folder; mounts and claims are test/mount's."""

import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "mount"))

from harness import Failed, same, setup, wait_until  # noqa: E402


def ringfuse_path():
    return os.path.join(setup.build, "util", "ringfuse", "ringfuse")


def ringfuse(*words, wanted=0, wrapper=(), stdin=subprocess.DEVNULL, env=None, seconds=60):
    """(standard output, standard error) of one call, which has to end with the wanted code (None: any)."""
    line = [*wrapper, ringfuse_path(), *map(str, words)]
    ended = subprocess.run(line, stdin=stdin, capture_output=True, text=True, errors="replace", env=env, check=False,
                           timeout=seconds * setup.patience)
    if wanted is not None:
        same(ended.returncode, wanted, f"exit code of {line}\n{ended.stdout}{ended.stderr}\nexit code")
    return ended.stdout, ended.stderr


def session_at(directory):
    """What `status` says of the one session on a mount point."""
    sessions = json.loads(ringfuse("status", "--json", directory)[0])["sessions"]
    same(len(sessions), 1, f"sessions on {directory}")
    if "problem" in sessions[0]:
        raise Failed(sessions[0]["problem"])
    return sessions[0]


def operation(session, name):
    """The counts of one operation, None if there was none."""
    return next((op for op in session["operations"] if op["name"] == name), None)


def wait_pending(directory, name, age_ns=0):
    """Waits until the oldest request is one of this operation and old enough; the session as it is then."""
    def look():
        session = session_at(directory)
        oldest = session["pending"][0] if session["pending"] else None
        return session if oldest and oldest["operation"] == name and oldest["age_ns"] >= age_ns else None
    return wait_until(look, f"a pending {name}", 30)
