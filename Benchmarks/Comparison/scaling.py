"""What a cluster of ours takes, and how long its nodes need to start, as boards and logs grow."""

import json
import shutil
import sys
import tempfile
import time
from pathlib import Path

from . import machine
from .datafiles import allocated
from .processes import Stage, text, wait_for
from .systems.jobboard import Jobboard
from .tools import Failure, run

LIVES = 64
BATCH = 1000
STEPS = 10


def note(words):
    print(f"==> {words}", file=sys.stderr, flush=True)


class Cluster:
    """Nodes that can be stopped and started again on what they hold."""

    def __init__(self, program, folder, nodes, **settings):
        self.stage = Stage(folder)
        self.system = Jobboard()
        self.system.program = program
        self.system.nodes = nodes
        self.system.settings = settings
        try:
            self.system.start(self.stage)
        except BaseException:
            self.stage.stop()
            raise

    @property
    def configuration(self):
        return str(self.stage.folder / "cluster.json")

    def bench(self, *arguments):
        command = [self.system.program, "bench", "--config", self.configuration, "--json", "--timeout", "60s", *map(str, arguments)]
        return json.loads(run(command, "jobboard bench"))["results"][0]

    def memory(self):
        """The most that any node holds now."""
        lines = [line for pid in self.stage.all_pids() for line in text(f"/proc/{pid}/status").splitlines()]
        return max((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:")), default=0)

    def disk(self):
        """Bytes of a node's folder."""
        return allocated(self.stage.data) / self.system.nodes

    def restart(self):
        """Seconds from the start of all nodes until a fresh read is answered."""
        self.stage.stop()
        begin = time.monotonic()
        self.system.spawn_nodes(self.stage)
        command = [self.system.program, "count", "--config", self.configuration, "--timeout", "1s"]

        def answers():
            self.stage.check()
            try:
                run(command, "jobboard count")
                return True
            except Failure:
                return False

        wait_for(answers, "the cluster does not come back", 900)
        return time.monotonic() - begin

    def remove(self):
        self.stage.stop()
        shutil.rmtree(self.stage.folder, ignore_errors=True)


def begin():
    """The program, built, and a folder for all clusters; says what machine this is."""
    system = Jobboard()
    system.build(None)
    folder = Path(tempfile.mkdtemp(prefix="jobboard-scale-"))
    machine.wait_until_quiet(60)
    about = machine.look(folder)
    print(
        f"{about['cores']} cores of {about['processor']}, {about['memory_gib']} GiB, Linux {about['kernel']}, "
        f"fdatasync p50 {about['sync_p50_us']} µs, load {about['load']:.2f}\n", flush=True)
    return system.program, folder


def row(*cells):
    print("| " + " | ".join(cells) + " |", flush=True)


def head(*cells):
    row(*cells)
    print("|" + "---|" * len(cells), flush=True)


def mebibytes(count):
    return f"{count / 2**20:,.0f} MiB"


def hold(options):
    program, folder = begin()
    try:
        head("jobs held", "nodes", "lives/s", "leader's µs a life", "memory a node", "bytes a job", "disk a node", "start, s")
        base = None
        for held in options.held:
            note(f"{held:,} jobs held")
            cluster = Cluster(program, folder / f"held-{held}", options.nodes)
            try:
                base = base or cluster.memory()
                if held:
                    # They are on the board before anything is measured.
                    cluster.bench("--held", held, "--concurrency", 1, "--seconds", 0.1, "--warm-up", 0)
                memory = cluster.memory()
                found = cluster.bench("--concurrency", LIVES, "--seconds", options.seconds, "--repeat", 3)
                leader = max(found["costs_per_job"]["node_cpu_us"])
                row(
                    f"{held:,}", str(options.nodes), f"{found['per_second']['median']:,.0f}", f"{leader:.1f}", mebibytes(memory),
                    f"{(memory - base) / held:,.0f}" if held >= 100_000 else "-", mebibytes(cluster.disk()),
                    f"{cluster.restart():.1f}")
            finally:
                cluster.remove()
        if options.replay:
            replay(program, folder, options.replay)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def replay(program, folder, lives):
    """A log without a snapshot is read, and all its commands applied, at the start of a node."""
    note(f"{lives:,} lives to replay")
    cluster = Cluster(program, folder / "replay", 1, snapshot_bytes=1 << 40)
    try:
        empty = cluster.restart()
        cluster.bench("--concurrency", 256, "--jobs", lives, "--warm-up", 0)
        stored = cluster.disk()
        seconds = cluster.restart()
        # Each life is a post, a claim and a consume, each a command of its own.
        print(
            f"\nA log of {lives:,} lives ({3 * lives:,} commands, {mebibytes(stored)}) without a snapshot starts in "
            f"{seconds:.1f} s, an empty one in {empty:.1f} s: {3 * lives / max(seconds - empty, 0.1):,.0f} commands replayed a "
            f"second.", flush=True)
    finally:
        cluster.remove()


def let_pass(options):
    """One job stays unclaimed, on a board of its own, while the others come and go."""
    program, folder = begin()
    try:
        cluster = Cluster(program, folder / "pass", options.nodes)
        try:
            run([program, "post", "left", "--board", "left", "--config", cluster.configuration], "jobboard post")
            head("lives passed", "lives/s", "disk a node", "memory a node", "start, s")
            row("0", "-", mebibytes(cluster.disk()), mebibytes(cluster.memory()), f"{cluster.restart():.1f}")
            for step in range(1, STEPS + 1):
                note(f"step {step} of {STEPS}")
                rounds = options.passing // STEPS // BATCH
                found = cluster.bench("--mode", "batch", "--batch", BATCH, "--concurrency", 4, "--jobs", rounds, "--warm-up", 0)
                disk, memory = cluster.disk(), cluster.memory()
                row(
                    f"{step * rounds * BATCH:,}", f"{found['per_second']['median']:,.0f}", mebibytes(disk), mebibytes(memory),
                    f"{cluster.restart():.1f}")
            show = [program, "count", "--board", "left", "--state", "UNCLAIMED", "--config", cluster.configuration]
            left = run(show, "jobboard count").strip()
            if "1" not in left.split():
                raise Failure(f"the job that was left is gone: {left}")
        finally:
            cluster.remove()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
