"""Programs out of packages that would start services or bring a desktop if they were installed: unpacked into a
directory of their own, once for each build directory."""

import glob
import os
import subprocess

from harness import Failed, check, setup


def unpacked(*packages):
    """The directory below which the files of all these packages are."""
    folder = os.path.join(setup.build, "test", "programs", "packages")
    root = os.path.join(folder, packages[0])
    done = os.path.join(root, ".complete")
    if not os.path.exists(done):
        os.makedirs(root, exist_ok=True)
        for package in packages:
            _unpack(package, folder, root)
        with open(done, "w", encoding="ascii"):
            pass
    return root


def _apt(folder, *words):
    ended = subprocess.run(["apt-get", "-q", *words], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, text=True, timeout=120, check=False)
    return "" if ended.returncode == 0 else ended.stdout


def _download(package, folder):
    """Tries again with new package lists: the old ones may be gone, or name a version that is."""
    if _apt(folder, "download", package):
        complaint = _apt(folder, "update") or _apt(folder, "download", package)
        if complaint:
            raise Failed(f"cannot download {package}: {complaint}")


def _unpack(package, folder, root):
    pattern = os.path.join(folder, f"{package}_*.deb")
    if not glob.glob(pattern):
        _download(package, folder)
    found = glob.glob(pattern)
    check(found, f"no package file for {package}")
    subprocess.run(["dpkg", "-x", found[0], root], check=True, timeout=60)
