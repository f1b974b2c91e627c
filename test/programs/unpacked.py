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


def _unpack(package, folder, root):
    pattern = os.path.join(folder, f"{package}_*.deb")
    if not glob.glob(pattern):
        ended = subprocess.run(["apt-get", "-q", "download", package], cwd=folder, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120, check=False)
        if ended.returncode != 0:
            raise Failed(f"cannot download {package} (is there a network, and apt's list?): {ended.stdout}")
    found = glob.glob(pattern)
    check(found, f"no package file for {package}")
    subprocess.run(["dpkg", "-x", found[0], root], check=True, timeout=60)
