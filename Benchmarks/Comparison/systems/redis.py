"""Redis: a script for each step, as TaskFlow's job board on Redis has it."""

import subprocess

from ..processes import wait_for
from ..tools import compile_c
from .base import System

PORT = 23500


class Redis(System):
    name = "redis"
    title = "Redis, 2 replicas"
    packages = ("redis-server", "redis-tools", "gcc", "libc6-dev")
    versioned = "redis-server"
    synced = "on the primary (appendfsync always); WAIT 1 says that one replica has received it, not that it is on its disk"
    note = "no failover of its own; with Sentinel, acknowledged writes can be lost"

    def __init__(self):
        self.program = None

    def build(self, folder):
        self.program = compile_c("redis.c", folder)

    def start(self, stage):
        for node in range(1, self.nodes + 1):
            command = [
                "redis-server", "--port", str(PORT + node), "--bind", "127.0.0.1", "--dir", str(stage.data_folder(f"d{node}")),
                "--appendonly", "yes", "--appendfsync", "always", "--save", "", "--daemonize", "no",
                "--repl-diskless-sync-delay", "0",
            ]
            if node > 1:
                command += ["--replicaof", "127.0.0.1", str(PORT + 1)]
            stage.spawn(f"r{node}", command)
            stage.wait_for_port(PORT + node)
        wait_for(lambda: self.replicas() == self.nodes - 1, "the replicas of Redis are not there")

    @staticmethod
    def replicas():
        done = subprocess.run(
            ["redis-cli", "-p", str(PORT + 1), "info", "replication"], capture_output=True, text=True, check=False, timeout=30)
        return done.stdout.count("state=online")

    def load(self, stage, level, warm_up, seconds):
        return [self.program, str(PORT + 1), str(level), str(warm_up), str(seconds), str(int(self.nodes > 1))]


class RedisSingle(Redis):
    name = "redis-single"
    title = "Redis, 1 node"
    nodes = 1
    synced = "yes, on its only disk (appendfsync always)"
    note = "one copy of everything"
