"""RabbitMQ: a quorum queue on three nodes."""

import os
import subprocess

from ..processes import wait_for
from ..tools import compile_c, run
from .base import System

PORT = 23600
BIN = "/usr/lib/rabbitmq/bin"


class RabbitMQ(System):
    name = "rabbitmq"
    title = "RabbitMQ, quorum queue"
    packages = ("rabbitmq-server", "librabbitmq-dev", "gcc", "libc6-dev")
    versioned = "rabbitmq-server"
    synced = "posts and claims: fsync of the WAL on a majority; a consume has no answer in AMQP, so nobody knows"
    note = "claims whichever job is next; a connection for each in flight; a third of the waiting is spared it"

    def __init__(self):
        self.program = None

    def build(self, folder):
        self.program = compile_c("rabbitmq.c", folder, "-lrabbitmq", "-lpthread")

    def environment(self, stage, node):
        folder = stage.folder
        return {
            **os.environ, "HOME": str(folder), "ERL_EPMD_PORT": str(PORT + 99), "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_CONF_ENV_FILE": "/dev/null", "RABBITMQ_SCRIPTS_ENV_FILE": "/dev/null",
            "RABBITMQ_NODENAME": f"r{node}@localhost", "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(PORT + node), "RABBITMQ_DIST_PORT": str(PORT + 20 + node),
            "RABBITMQ_CONFIG_FILE": str(folder / f"r{node}.conf"), "RABBITMQ_MNESIA_BASE": str(folder / f"d{node}"),
            "RABBITMQ_LOG_BASE": str(folder / f"log{node}"), "RABBITMQ_PID_FILE": str(folder / f"r{node}.pid"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        }

    def start(self, stage):
        cookie = stage.folder / ".erlang.cookie"
        cookie.write_text("COMPARISONCOOKIE")
        cookie.chmod(0o400)
        (stage.folder / "plugins").write_text("[].\n")
        # Ours, so that it ends with the nodes.
        stage.spawn("epmd", ["epmd", "-port", str(PORT + 99), "-address", "127.0.0.1"])
        stage.wait_for_port(PORT + 99)
        nodes = range(1, self.nodes + 1)
        for node in nodes:
            stage.data_folder(f"d{node}")
            (stage.folder / f"log{node}").mkdir()
            (stage.folder / f"r{node}.conf").write_text(
                f"listeners.tcp.1 = 127.0.0.1:{PORT + node}\nlog.console = false\nlog.file.level = error\n"
                "vm_memory_high_watermark.absolute = 2GB\n"
                "cluster_formation.randomized_startup_delay_range.min = 0\n"
                "cluster_formation.randomized_startup_delay_range.max = 1\n")
            stage.spawn(f"r{node}", [f"{BIN}/rabbitmq-server"], env=self.environment(stage, node))
            stage.wait_for_port(PORT + node, 120)
        for node in nodes:
            wait_for(lambda node=node: self.is_up(stage, node), f"node {node} of RabbitMQ does not start", 120)
        for node in nodes[1:]:
            for words in (["stop_app"], ["join_cluster", "r1@localhost"], ["start_app"]):
                self.control(stage, node, *words)
            stage.wait_for_port(PORT + node)

    def control(self, stage, node, *words):
        command = [f"{BIN}/rabbitmqctl", "-q", "-n", f"r{node}@localhost", *words]
        return run(command, f"rabbitmqctl {words[0]}", env=self.environment(stage, node))

    def is_up(self, stage, node):
        stage.check()
        command = [f"{BIN}/rabbitmqctl", "-q", "-n", f"r{node}@localhost", "await_startup"]
        return subprocess.run(
            command, env=self.environment(stage, node), capture_output=True, check=False, timeout=120).returncode == 0

    def load(self, stage, level, warm_up, seconds):
        return [self.program, str(PORT + 1), str(level), str(warm_up), str(seconds)]
