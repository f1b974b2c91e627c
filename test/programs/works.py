"""Work that is done on a mounted filesystem and on a plain directory, and a digest of what came out of it."""

import hashlib
import os
import random
import stat

from harness import run, same, setup


def digest(directory, *, modes=True, times=False):
    """One line for each name below: type, mode, size, target, hash of the bytes."""
    lines = []
    for folder, names, files in os.walk(directory):
        names.sort()
        for name in sorted(names + files):
            path = os.path.join(folder, name)
            st = os.lstat(path)
            # Some union filesystems do not keep set-group-ID on directories.
            mode = st.st_mode & ~stat.S_ISGID if stat.S_ISDIR(st.st_mode) else st.st_mode
            line = [os.path.relpath(path, directory), stat.filemode(mode) if modes else stat.filemode(mode)[0]]
            if times:
                line.append(str(int(st.st_mtime)))
            if stat.S_ISLNK(st.st_mode):
                line.append(os.readlink(path))
            elif stat.S_ISREG(st.st_mode):
                line += [str(st.st_size), hash_of(path)]
            lines.append(" ".join(line))
    return lines


def same_files(one, other):
    """The trees have the same names, and each name the same attributes, bytes and extended attributes in both (inode numbers
    are each filesystem's own). Returns how many names that were."""
    count = 0
    for folder, names, files in os.walk(one):
        twin = os.path.join(other, os.path.relpath(folder, one))
        same(sorted(os.listdir(twin)), sorted(names + files), f"names in {twin}")
        for name in names + files + ["."]:
            paths = [os.path.join(folder, name), os.path.join(twin, name)]
            got, wanted = [_all_of(path) for path in paths]
            same(got, wanted, f"{paths[0]} and {paths[1]}")
            count += 1
    return count


def _all_of(path):
    st = os.lstat(path)
    attributes = (stat.filemode(st.st_mode), st.st_nlink, st.st_uid, st.st_gid, st.st_rdev, st.st_size, st.st_mtime_ns)
    if stat.S_ISLNK(st.st_mode):
        return attributes, os.readlink(path)
    extended = {name: _value_of(path, name) for name in os.listxattr(path)}
    return attributes, extended, hash_of(path) if stat.S_ISREG(st.st_mode) else ""


def _value_of(path, name):
    try:
        return os.getxattr(path, name)
    except OSError as error:   # squashfuse lists an attribute without a value, but does not find it
        return error.errno


def hash_of(path):
    content = hashlib.sha256()
    with open(path, "rb", buffering=0) as file:
        while piece := file.read(1 << 17):
            content.update(piece)
    return content.hexdigest()


def make_tree(directory, names=150, seed=5, hard_links=True):
    """Files, directories, links and attributes that depend on the seed alone; see test/client/tree_check.c."""
    run(os.path.join(setup.build, "test", "client", "tree_check"), "-S", seed, "-n", names, "make", directory)
    for folder, _, files in os.walk(directory):
        for path in [os.path.join(folder, name) for name in files]:
            if not hard_links and os.lstat(path).st_nlink > 1 and os.path.isfile(path):
                run("cp", "-a", path, path + ".copy")
                os.rename(path + ".copy", path)


class Churn:
    """Creates, changes, moves and removes files in random order. The same seed gives the same tree everywhere."""

    def __init__(self, directory, seed, links=True):
        self.directory, self.random, self.links = directory, random.Random(seed), links

    def names(self, want):
        found = []
        for folder, names, files in os.walk(self.directory):
            found += [os.path.join(folder, name) for name in (names if want == "dir" else files)]
        found = [os.path.relpath(path, self.directory) for path in found]
        return sorted(path for path in found if want == "dir" or os.path.isfile(self.at(path)))

    def at(self, name):
        return os.path.join(self.directory, name)

    def new_name(self):
        folder = self.random.choice(self.names("dir") + [""])
        return os.path.join(folder, f"new-{self.random.randrange(1 << 40)}")

    def write_new(self):
        with open(self.at(self.new_name()), "wb") as file:
            file.write(self.random.randbytes(self.random.randrange(200000)))

    def change(self, name):
        fd = os.open(self.at(name), os.O_RDWR)
        os.pwrite(fd, self.random.randbytes(5000), self.random.randrange(50000))
        os.ftruncate(fd, self.random.randrange(100000))
        os.close(fd)

    def step(self):
        files = self.names("file")
        name = self.random.choice(files) if files else None
        kind = self.random.randrange(9)
        if name is None or kind <= 1:
            self.write_new()
        elif kind == 2:
            self.change(name)
        elif kind == 3:
            os.unlink(self.at(name))
        elif kind == 4:
            os.rename(self.at(name), self.at(self.new_name()))
        elif kind == 5:
            os.mkdir(self.at(self.new_name()))
        elif kind == 6:
            os.symlink("no/such/target", self.at(self.new_name()))
        elif kind == 7:
            os.chmod(self.at(name), self.random.choice((0o600, 0o644, 0o755)))
        elif self.links:
            os.link(self.at(name), self.at(self.new_name()))

    def run(self, steps):
        for _ in range(steps):
            self.step()
        return digest(self.directory)


def random_file(path, size, seed=1):
    with open(path, "wb") as file:
        file.write(random.Random(seed).randbytes(size))
    return path
