"""The initial file system of a virtual machine: busybox, the scripts of guest/, our programs and their libraries."""

import lzma
import pathlib
import re
import shutil
import stat
import subprocess

HERE = pathlib.Path(__file__).resolve().parent

# Paths below the build directory.
PROGRAMS = ("test/fs/hello_ll", "test/fs/memfs_ll", "test/fs/passthrough_ll", "test/fs/cuse_queue",
            "test/client/errno_probe", "test/client/fsx_check", "test/client/lock_storm", "test/client/tree_check",
            "test/client/cuse_check", "test/teardown/teardown_cell", "test/contract/contract_single",
            "test/contract/contract_blocking", "test/contract/contract_chains", "test/contract/contract_interrupts",
            "test/contract/contract_replies")


def libraries_of(program):
    """Every library the loader takes for a program, and the loader itself."""
    listing = subprocess.run(["ldd", program], stdout=subprocess.PIPE, text=True, check=True).stdout
    missing = re.findall(r"^\s*(\S+) => not found", listing, re.M)
    if missing:
        raise SystemExit(f"{program}: its libraries are missing: {', '.join(missing)}")
    return {pathlib.Path(path) for path in re.findall(r"(?:=> |^\s*)(/\S+) \(0x", listing, re.M)}


def copy_module(path, target):
    """Busybox' insmod wants a module uncompressed."""
    if path.suffix == ".xz":
        target.write_bytes(lzma.decompress(path.read_bytes()))
    elif path.suffix == ".zst":
        subprocess.run(["zstd", "-qdf", path, "-o", target], check=True)
    else:
        shutil.copy(path, target)


def build(build_dir, kernel, plan, target):
    """Writes the archive for one boot to `target`. `plan`: lines VARIABLE=VALUE for guest/init."""
    root = target.with_suffix(".d")
    shutil.rmtree(root, ignore_errors=True)
    for folder in ("bin", "proc", "sys", "dev", "tmp", "mnt", "etc", "modules", "lib", "lib64", "run"):
        (root / folder).mkdir(parents=True)
    shutil.copy(shutil.which("busybox"), root / "bin/busybox")
    (root / "bin/sh").symlink_to("busybox")
    libraries = set()
    for name in PROGRAMS:
        program = build_dir / name
        if not program.exists():
            raise SystemExit(f"{program} is not built")
        shutil.copy(program, root / "bin")
        libraries |= libraries_of(program)
    for library in libraries:
        # The loader by its own path, all else where it looks without being told.
        folder = root / library.parent.relative_to("/") if "ld-linux" in library.name else root / "lib"
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(library, folder / library.name)
        subprocess.run(["strip", "-g", folder / library.name], check=False, stderr=subprocess.DEVNULL)
    for program in (root / "bin").iterdir():
        if not program.is_symlink() and program.name != "busybox":
            subprocess.run(["strip", "-g", program], check=False, stderr=subprocess.DEVNULL)
    for name, path in kernel.modules.items():
        copy_module(path, root / "modules" / f"{name}.ko")
    for script in (HERE / "guest").iterdir():
        place = root / ("init" if script.name == "init" else f"bin/{script.name}")
        shutil.copy(script, place)
        place.chmod(place.stat().st_mode | stat.S_IXUSR)
    (root / "etc/plan").write_text("".join(f"{name}='{value}'\n" for name, value in plan.items()), "utf-8")
    names = "\n".join(str(path.relative_to(root)) for path in sorted(root.rglob("*"))) + "\n"
    with open(target, "wb") as out:
        subprocess.run(["cpio", "--quiet", "-o", "-H", "newc", "-R", "0:0"], input=names.encode(), cwd=root, stdout=out,
                       check=True)
    shutil.rmtree(root)
