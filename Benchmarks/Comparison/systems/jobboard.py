"""We: three nodes with the settings that everybody gets, and `jobboard bench`."""

import json
import subprocess
import time
from pathlib import Path

from ..datafiles import allocated
from ..processes import wait_for
from ..tools import Failure, run
from .base import OPERATIONS, System

ROOT = Path(__file__).resolve().parents[3]
PORT = 23800
# As many bytes as the details of the jobs that the peers get.
DETAILS = 184


class Jobboard(System):
    name = "jobboard"
    title = "jobboard"
    synced = "yes: fdatasync on a majority"
    note = "one client with one connection; settings as everybody gets them"

    def __init__(self):
        self.program = None
        # Of the cluster file, besides the nodes.
        self.settings = {}

    def build(self, folder):
        if not (ROOT / "Package.swift").exists():
            raise Failure("Benchmarks/compare must stay in its repository")
        run([str(ROOT / "Scripts/setup")], "Scripts/setup")
        build = ["swift", "build", "-c", "release", "--product", "jobboard", "--package-path", str(ROOT)]
        run(build, "can't build jobboard")
        self.program = run([*build, "--show-bin-path"], "swift build").strip() + "/jobboard"

    def start(self, stage):
        nodes = [
            {"id": node, "host": "127.0.0.1", "peer_port": PORT + node, "client_port": PORT + 10 + node}
            for node in range(1, self.nodes + 1)
        ]
        (stage.folder / "cluster.json").write_text(json.dumps({"cluster": "compare", "nodes": nodes, **self.settings}))
        for node in range(1, self.nodes + 1):
            stage.data_folder(f"node-{node}")
        self.spawn_nodes(stage)
        for node in nodes:
            stage.wait_for_port(node["client_port"])
        wait_for(lambda: self.leader_status(stage), "no leader")
        self.wait_until_prepared(stage)

    def spawn_nodes(self, stage):
        for node in range(1, self.nodes + 1):
            stage.spawn(
                f"node-{node}",
                [self.program, "serve", "--config", "cluster.json", "--node", str(node), "--data", f"node-{node}"])

    @staticmethod
    def wait_until_prepared(stage):
        """Each node fills files for later at its start, beside everything else; that is not part of any run."""
        sizes = [allocated(stage.data)]

        def rests():
            time.sleep(0.5)
            sizes.append(allocated(stage.data))
            return sizes[-1] == sizes[-2]

        wait_for(rests, "the nodes' files are not prepared")

    def leader_status(self, stage):
        """None while there is no leader."""
        stage.check()
        done = subprocess.run(
            [self.program, "status", "-o", "jsonl", "--config", "cluster.json"], cwd=stage.folder, capture_output=True,
            text=True, check=False, timeout=30)
        nodes = [json.loads(line)["status"] for line in done.stdout.splitlines()]
        return next((node for node in nodes if node and node["role"] == "leader"), None)

    def lives_so_far(self, stage):
        # Each life is three events: posted, claimed, consumed.
        leader = wait_for(lambda: self.leader_status(stage), "no leader")
        return leader["position"] / len(OPERATIONS)

    def load(self, stage, level, warm_up, seconds):
        return [
            self.program, "bench", "--config", "cluster.json", "--json", "--concurrency", str(level), "--seconds", str(seconds),
            "--warm-up", str(warm_up), "--details-bytes", str(DETAILS),
        ]

    def read(self, printed):
        found = json.loads(printed)["results"][0]
        costs = found["costs_per_job"]
        result = {
            "lives_per_s": found["per_second"]["median"],
            "errors": 0,
            "log_bytes_per_life": costs["stored_bytes"]["median"] * self.nodes,
            "syncs_per_life": costs["syncs"]["median"],
        }
        for latency in found["latencies_us"]:
            result[f"{latency['operation']}_p50_us"] = latency["p50"]["median"]
            result[f"{latency['operation']}_p99_us"] = latency["p99"]["median"]
        return result
