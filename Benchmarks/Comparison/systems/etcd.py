"""etcd: each step is one transaction, as TaskFlow's job board on etcd makes it, but without its further reads."""

import json
import subprocess

from ..processes import wait_for
from ..tools import compile_go
from .base import System

PORT = 23700


class Etcd(System):
    name = "etcd"
    title = "etcd"
    packages = ("etcd-server", "etcd-client", "golang-go", "golang-etcd-server-dev")
    versioned = "etcd-server"
    synced = "yes: fdatasync of the WAL on a majority"
    note = "all in flight over one client of the leader; no compaction, which is its default"

    def __init__(self):
        self.program = None
        self.leader = None

    def build(self, folder):
        self.program = compile_go("etcd.go", folder)

    def start(self, stage):
        clients = {node: f"127.0.0.1:{PORT + 10 * node}" for node in range(1, self.nodes + 1)}
        peers = {node: f"http://127.0.0.1:{PORT + 10 * node + 1}" for node in clients}
        cluster = ",".join(f"n{node}={peer}" for node, peer in peers.items())
        for node, client in clients.items():
            stage.spawn(f"n{node}", [
                "etcd", "--name", f"n{node}", "--data-dir", str(stage.data_folder(f"d{node}")), "--logger", "zap",
                "--log-level", "error", "--quota-backend-bytes", str(8 << 30),
                "--listen-client-urls", f"http://{client}", "--advertise-client-urls", f"http://{client}",
                "--listen-peer-urls", peers[node], "--initial-advertise-peer-urls", peers[node],
                "--initial-cluster", cluster, "--initial-cluster-state", "new",
            ])
        for node in clients:
            stage.wait_for_port(PORT + 10 * node)
        self.leader = wait_for(lambda: self.find_leader(stage, clients.values()), "no leader of etcd")

    @staticmethod
    def find_leader(stage, clients):
        stage.check()
        done = subprocess.run(
            ["etcdctl", "--endpoints", ",".join(clients), "endpoint", "status", "-w", "json"], capture_output=True, text=True,
            check=False, timeout=30, env={"ETCDCTL_API": "3", "PATH": "/usr/bin:/bin"})
        if done.returncode != 0:
            return None
        for one in json.loads(done.stdout):
            if one["Status"]["leader"] == one["Status"]["header"]["member_id"]:
                return one["Endpoint"]
        return None

    def load(self, stage, level, warm_up, seconds):
        return [self.program, "-e", self.leader, "-c", str(level), "-w", str(warm_up), "-s", str(seconds)]
