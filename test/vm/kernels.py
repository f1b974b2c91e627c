"""Kernels to boot: packages of the distribution, fetched by its own apt-get with a private state and unpacked, never
installed. Where they come from is the machine's own source line with the names of other suites."""

import dataclasses
import os
import pathlib
import re
import subprocess

# Series to test, oldest first; the newest packaged 7.x is looked up. The first suite that has a series wins.
SERIES = ("5.10", "6.1", "6.12", "6.18", "7")
SUITES = ("bullseye", "bookworm", "trixie", "trixie-backports", "forky", "sid")


@dataclasses.dataclass(frozen=True)
class Kernel:
    series: str
    image: pathlib.Path
    modules: dict  # name -> path of fuse.ko, cuse.ko, as far as they are modules


class Missing(Exception):
    """A kernel cannot be had here; the text says why."""


def read_source():
    """URI of the distribution's main archive as this machine has it."""
    codename = re.search(r"^VERSION_CODENAME=(\S+)", pathlib.Path("/etc/os-release").read_text("utf-8"), re.M)
    try:
        lines = subprocess.run(["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE)", "Identifier: Packages"],
                               stdout=subprocess.PIPE, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise Missing(f"apt-get cannot say where packages come from: {error}") from error
    for line in lines.splitlines():
        uri, release = line.split()
        if codename and release == codename[1]:
            return uri
    raise Missing("apt has no source for this machine's own release")


class Archive:
    """Package lists of all suites, in `cache`."""

    def __init__(self, cache):
        self.cache = cache
        for part in ("lists/partial", "archives/partial", "kernels"):
            (cache / part).mkdir(parents=True, exist_ok=True)
        self.options = ["-q", "-o", f"Dir::Etc::sourcelist={cache}/sources.list", "-o", f"Dir::Etc::sourceparts={cache}/none",
                        "-o", f"Dir::Etc::preferencesparts={cache}/none", "-o", f"Dir::State::Lists={cache}/lists",
                        "-o", f"Dir::Cache={cache}", "-o", "Dir::State::status=/dev/null", "-o", "Acquire::Languages=none",
                        "-o", "APT::Sandbox::User=root"]
        self.names = None

    def apt(self, command, *arguments, seconds=280, **keywords):
        return subprocess.run([command, *self.options, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=seconds, check=False, **keywords)

    def update(self):
        """Reads the lists. A suite that is gone is left out, so each is asked for alone."""
        uri = read_source()
        lines = [f"deb {uri} {suite} main\n" for suite in SUITES]
        (self.cache / "none").mkdir(exist_ok=True)
        (self.cache / "sources.list").write_text("".join(lines), "utf-8")
        done = self.apt("apt-get", "update")
        if done.returncode == 0:
            return
        gone = {suite for suite in SUITES if re.search(rf"^E: .*\s{re.escape(suite)}\s.*Release", done.stdout, re.M)}
        if not gone:
            raise Missing(f"apt-get update: {done.stdout.strip().splitlines()[-1]}")
        (self.cache / "sources.list").write_text("".join(line for line, suite in zip(lines, SUITES) if suite not in gone),
                                                 "utf-8")
        if self.apt("apt-get", "update").returncode:
            raise Missing("apt-get update fails")

    def find(self, series):
        """Names of the packages that hold the newest kernel of a series: one, or image and modules."""
        if self.names is None:
            self.update()
            self.names = self.apt("apt-cache", "pkgnames", "linux-").stdout.split()
        version = re.compile(rf"linux-(image|binary)-({re.escape(series)}[.-][\w.+-]*?)-?cloud-amd64$")
        found = {}
        for name in self.names:
            match = version.match(name)
            # A bare -rc or a meta package has no three numbers.
            if match and len(re.findall(r"\d+", match[2])) >= 3:
                found.setdefault(match[2], {})[match[1]] = name
        if not found:
            raise Missing(f"no suite of {', '.join(SUITES)} has linux-image-{series}*-cloud-amd64")
        newest = max(found, key=lambda text: [int(number) for number in re.findall(r"\d+", text)])
        kinds = found[newest]
        if "binary" in kinds:
            return [kinds["binary"], kinds["binary"].replace("linux-binary-", "linux-modules-")]
        return [kinds["image"]]

    def unpack(self, packages, target):
        for package in packages:
            done = self.apt("apt-get", "download", package, cwd=self.cache / "archives")
            files = sorted((self.cache / "archives").glob(f"{package}_*.deb"))
            if done.returncode or not files:
                raise Missing(f"apt-get download {package}: {done.stdout.strip().splitlines()[-1]}")
            subprocess.run(["dpkg", "-x", files[-1], target], check=True, timeout=120)
            for file in files:
                file.unlink()


def cache_place(place):
    """Where kernels are kept: the user's cache directory if one is named, else below the results."""
    home = os.environ.get("XDG_CACHE_HOME")
    return pathlib.Path(home, "ringfuse/vm") if home else place / "cache"


def fetch(archive, series):
    """The kernel of a series, from the cache or the archive. Raises Missing."""
    place = archive.cache / "kernels" / series
    if not (place / "done").exists():
        try:
            archive.unpack(archive.find(series), place)
        except subprocess.TimeoutExpired as error:
            raise Missing(f"{error.cmd[0]} took longer than {error.timeout} s") from error
        (place / "done").touch()
    images = [*place.glob("boot/vmlinuz-*"), *place.glob("usr/lib/modules/*/vmlinuz")]
    if not images:
        raise Missing(f"the package of {series} holds no vmlinuz")
    modules = {}
    for name in ("fuse", "cuse"):
        for path in (*place.glob(f"lib/modules/*/kernel/fs/fuse/{name}.ko*"),
                     *place.glob(f"usr/lib/modules/*/kernel/fs/fuse/{name}.ko*")):
            modules[name] = path
    return Kernel(series, images[0], modules)
