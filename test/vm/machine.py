"""One boot in qemu: shapes of machines, the command line, and what the guest reported. No emulator outlives this process:
it ends them when it is told to end (end_all), and the kernel does if it is killed."""

import dataclasses
import re
import subprocess
import threading
import time

EMULATOR = "qemu-system-x86_64"
# More emulated CPUs than this take turns in one thread of the emulator. With a thread each they wait for one another's
# locks while the host runs others, and a CPU may meet a breakpoint of the kernel's self-modification too late, which is fatal.
MOST_THREADS = 8
POLL_SECONDS = 0.2


@dataclasses.dataclass(frozen=True)
class Shape:
    name: str
    cpus: int
    what: str
    memory_mib: int = 1024
    nodes: int = 1
    possible: int = 0         # CPUs that could be plugged in; 0: as many as there are
    offline: str = ""         # number of a CPU the guest switches off
    start_seconds: int = 60   # bound from power on to the first line of the guest's tests


SHAPES = {shape.name: shape for shape in (
    Shape("1cpu", 1, "1 CPU"),
    Shape("2cpu", 2, "2 CPUs"),
    Shape("4cpu-2node", 4, "4 CPUs on 2 NUMA nodes", nodes=2),
    Shape("16cpu", 16, "16 CPUs", memory_mib=2048, start_seconds=100),
    Shape("64cpu", 64, "64 CPUs on 2 NUMA nodes", memory_mib=4096, nodes=2, start_seconds=150),
    Shape("offline", 4, "4 CPUs, number 1 offline", offline="1"),
    Shape("absent", 2, "2 CPUs of 4 possible", possible=4),
    Shape("512mib", 2, "2 CPUs, 512 MiB", memory_mib=512),
)}


@dataclasses.dataclass
class Outcome:
    steps: list = dataclasses.field(default_factory=list)   # (group, transport, name, result, text)
    facts: dict = dataclasses.field(default_factory=dict)
    ended: bool = False
    started: bool = False
    seconds: float = 0.0
    console: str = ""
    reason: str = ""  # why it was ended before it powered off

    def failures(self):
        found = [step for step in self.steps if step[3] == "failed"]
        if not self.ended:
            found.append(("kernel", "-", "boot", "failed", f"the tests did not come to their end: {self.reason or 'it stopped'}"))
        return found


def command(shape, kernel, initrd, in_turns):
    possible = shape.possible or shape.cpus
    # Linux counts a CPU that may come as possible only in a socket of its own, and 7.x not even there.
    sockets = possible // shape.cpus if shape.possible else shape.nodes
    accelerator = "single" if in_turns or shape.cpus > MOST_THREADS else "multi"
    # setpriv: the emulator is killed when the thread that started it ends, however that happens.
    words = ["setpriv", "--pdeathsig", "KILL", EMULATOR, "-accel", f"tcg,thread={accelerator}", "-cpu", "max", "-machine", "q35",
             "-nographic", "-no-reboot", "-nic", "none", "-m", f"{shape.memory_mib}M",
             "-smp", f"{shape.cpus},sockets={sockets},cores={possible // sockets},threads=1,maxcpus={possible}",
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
        outcome.started = True
        words = match[1].split(" ")
        if words[0] == "end":
            outcome.ended = True
        elif words[0] == "fact" and len(words) > 2:
            outcome.facts[words[1]] = " ".join(words[2:])
        elif len(words) >= 4 and words[3] in ("ok", "failed", "absent"):
            outcome.steps.append((*words[:4], " ".join(words[4:])))
    return outcome


running = set()
running_lock = threading.Lock()
ending = threading.Event()


class Ended(Exception):
    """No machine is started any more."""


def end_all():
    with running_lock:
        ending.set()
        for machine in running:
            machine.kill()


def why_ended(machine, shape, log, began, seconds):
    """Waits for the end of a machine, or for a reason to end it. The reason, empty if it powered off."""
    while machine.poll() is None:
        time.sleep(POLL_SECONDS)
        spent = time.monotonic() - began
        console = log.read_bytes()
        if spent > seconds:
            return f"not done after {seconds:.0f} s"
        # One that panics may try to stop its other CPUs for ever.
        if b"Kernel panic" in console:
            return "the kernel panicked"
        if b"@@ " not in console and spent > shape.start_seconds:
            return f"no test began within {shape.start_seconds} s"
    return ""


def size_of(mask):
    """How many numbers a list like 0,2-3 has."""
    ends = [part.split("-") for part in mask.split(",") if part]
    return sum(int(end[-1]) - int(end[0]) + 1 for end in ends)


def shape_step(shape, facts):
    """The step which says that the guest found the machine it was to be tested on."""
    wanted = {"cpus_online": shape.cpus - (1 if shape.offline else 0), "cpus_present": shape.cpus,
              "cpus_possible": shape.possible or shape.cpus, "nodes": shape.nodes}
    wrong = [f"{name} is {facts.get(name)}, not {number} of them" for name, number in wanted.items()
             if size_of(facts.get(name, "")) != number]
    if not 0.5 < int(facts.get("memory", 0)) / 1024 / shape.memory_mib <= 1:
        wrong.append(f"memory is {facts.get('memory')} KiB, not {shape.memory_mib} MiB")
    return ("kernel", "-", "shape", "failed" if wrong else "ok", ", ".join(wrong))


def boot(shape, kernel, initrd, log, seconds, in_turns=False):
    """Runs the machine until it powers off, or `seconds` are over. Its console goes to `log` as well."""
    began = time.monotonic()
    with open(log, "wb") as out:
        with running_lock:
            if ending.is_set():
                raise Ended
            machine = subprocess.Popen(command(shape, kernel, initrd, in_turns), stdin=subprocess.DEVNULL, stdout=out,
                                       stderr=subprocess.STDOUT)
            running.add(machine)
        try:
            reason = why_ended(machine, shape, log, began, seconds)
        finally:
            with running_lock:
                machine.kill()
                machine.wait()
                running.discard(machine)
    outcome = read_console(log.read_text("utf-8", errors="replace"))
    if outcome.started:
        outcome.steps.append(shape_step(shape, outcome.facts))
    outcome.reason = reason
    outcome.seconds = time.monotonic() - began
    return outcome
