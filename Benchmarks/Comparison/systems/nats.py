"""NATS JetStream: a work queue with three replicas."""

import re

from ..tools import compile_c, run
from .base import System

PORT = 23400
CONNECTIONS = 8


class Nats(System):
    name = "nats"
    title = "NATS JetStream, no fsync"
    packages = ("nats-server", "gcc", "libc6-dev")
    versioned = "nats-server"
    synced = "**no**: a majority has it in memory; files are synced every two minutes, and this version can't do otherwise"
    note = (
        f"claims whichever job is next; {CONNECTIONS} connections to the leader. A claim and a consume are answered before "
        "the replicas have them")

    def __init__(self):
        self.program = None
        self.leader = None

    def build(self, folder):
        self.program = compile_c("nats.c", folder)

    def start(self, stage):
        nodes = range(1, self.nodes + 1)
        routes = "\n".join(f"  nats://127.0.0.1:{PORT + 30 + node}" for node in nodes)
        for node in nodes:
            data = stage.data_folder(f"d{node}")
            (stage.folder / f"n{node}.conf").write_text(
                f'server_name: n{node}\nhost: 127.0.0.1\nport: {PORT + node}\n'
                f'jetstream {{ store_dir: "{data}", max_mem: 1G, max_file: 8G }}\n'
                f"cluster {{ name: c, host: 127.0.0.1, port: {PORT + 30 + node}, routes: [\n{routes}\n] }}\n")
            stage.spawn(f"n{node}", ["nats-server", "-c", f"n{node}.conf"])
        for node in nodes:
            stage.wait_for_port(PORT + node)
        # Asks again until the cluster has a leader that can make the stream.
        said = run([self.program, "setup", str(PORT + 1), str(self.nodes)], "NATS makes no stream")
        leader = re.search(r"stream_leader=n(\d)", said)
        self.leader = PORT + int(leader.group(1) if leader else 1)

    def load(self, stage, level, warm_up, seconds):
        return [self.program, str(self.leader), str(level), str(warm_up), str(seconds), str(CONNECTIONS)]
