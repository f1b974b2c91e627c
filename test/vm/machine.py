"""One boot in qemu: shapes of machines, the command line, and what the guest reported."""

import dataclasses
import re
import shutil
import subprocess
import time


@dataclasses.dataclass(frozen=True)
class Shape:
    name: str
    cpus: int
    what: str
    memory_mib: int = 1024
    nodes: int = 1
    possible: int = 0         # CPUs that could be plugged in; 0: as many as there are
    offline: str = ""         # number of a CPU the guest switches off


SHAPES = {shape.name: shape for shape in (
    Shape("1cpu", 1, "1 CPU"),
    Shape("2cpu", 2, "2 CPUs"),
    Shape("4cpu-2node", 4, "4 CPUs on 2 NUMA nodes", nodes=2),
    Shape("16cpu", 16, "16 CPUs", memory_mib=2048),
    Shape("64cpu", 64, "64 CPUs on 2 NUMA nodes", memory_mib=4096, nodes=2),
    Shape("offline", 4, "4 CPUs, number 1 offline", offline="1"),
    Shape("absent", 2, "2 CPUs of 4 possible", possible=4),
    Shape("512mib", 2, "2 CPUs, 512 MiB", memory_mib=512),
)}


@dataclasses.dataclass
class Outcome:
    steps: list = dataclasses.field(default_factory=list)   # (group, transport, name, result, text)
    facts: dict = dataclasses.field(default_factory=dict)
    ended: bool = False
    seconds: float = 0.0
    console: str = ""

    def failures(self):
        found = [step for step in self.steps if step[3] == "failed"]
        if not self.ended:
            found.append(("kernel", "-", "boot", "failed", "the machine did not come to the end of its tests"))
        return found


def command(shape, kernel, initrd):
    possible = shape.possible or shape.cpus
    words = ["qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max", "-machine", "q35", "-nographic", "-no-reboot",
             "-nic", "none", "-m", f"{shape.memory_mib}M", "-smp", f"{shape.cpus},sockets={shape.nodes},maxcpus={possible}",
             "-kernel", str(kernel.image), "-initrd", str(initrd)]
    if shape.nodes > 1:
        for node in range(shape.nodes):
            each, first = shape.cpus // shape.nodes, node * (shape.cpus // shape.nodes)
            words += ["-object", f"memory-backend-ram,size={shape.memory_mib // shape.nodes}M,id=m{node}",
                      "-numa", f"node,nodeid={node},cpus={first}-{first + each - 1},memdev=m{node}"]
    # Emulated CPUs are slow and wait for one another: the watchdogs would complain of that.
    words += ["-append", "console=ttyS0 panic=-1 quiet nowatchdog tsc=unstable mitigations=off"]
    return words


def read_console(text):
    outcome = Outcome(console=text)
    for line in text.replace("\r", "").splitlines():
        match = re.search(r"@@ (.*)", line)
        if not match:
            continue
        words = match[1].split(" ")
        if words[0] == "end":
            outcome.ended = True
        elif words[0] == "fact" and len(words) > 2:
            outcome.facts[words[1]] = " ".join(words[2:])
        elif len(words) >= 4 and words[3] in ("ok", "failed", "absent"):
            outcome.steps.append((*words[:4], " ".join(words[4:])))
    return outcome


def boot(shape, kernel, initrd, log, seconds):
    """Runs the machine until it powers off, or `seconds` are over. Its console goes to `log` as well."""
    if not shutil.which("qemu-system-x86_64"):
        raise SystemExit("qemu-system-x86_64 is missing (package qemu-system-x86)")
    began = time.monotonic()
    with open(log, "wb") as out:
        with subprocess.Popen(command(shape, kernel, initrd), stdin=subprocess.DEVNULL, stdout=out,
                              stderr=subprocess.STDOUT) as machine:
            try:
                machine.wait(timeout=seconds)
            except subprocess.TimeoutExpired:
                machine.kill()
    outcome = read_console(log.read_text("utf-8", errors="replace"))
    outcome.seconds = time.monotonic() - began
    return outcome
