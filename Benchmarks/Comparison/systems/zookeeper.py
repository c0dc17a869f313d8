"""ZooKeeper: a sequential node for the job, an ephemeral one for the claim, a transaction for the consume."""

import socket
from pathlib import Path

from ..measuring import run_load
from ..processes import wait_for
from ..tools import compile_c
from .base import System

PORT = 23100
# Until the virtual machines have compiled what matters.
COMPILING = 10
JARS = ("zookeeper", "snappy-java", "metrics-core", "slf4j-api", "slf4j-log4j12", "log4j-1.2", "netty-all")
LOGGING = """\
log4j.rootLogger=WARN, C
log4j.appender.C=org.apache.log4j.ConsoleAppender
log4j.appender.C.layout=org.apache.log4j.PatternLayout
log4j.appender.C.layout.ConversionPattern=%d %p %c - %m%n
"""


class ZooKeeper(System):
    name = "zookeeper"
    title = "ZooKeeper"
    packages = ("zookeeper", "libzookeeper-mt-dev", "libsnappy-java", "gcc", "libc6-dev")
    versioned = "zookeeper"
    synced = "yes: fsync of the log on a majority (forceSync, its default)"
    note = f"all in flight over one session with the leader; {COMPILING} s of load before it is measured, for the JIT compiler"

    def __init__(self):
        self.program = None
        self.leader = None

    def build(self, folder):
        self.program = compile_c("zookeeper.c", folder, "-lzookeeper_mt", "-lpthread")

    def start(self, stage):
        (stage.folder / "log4j.properties").write_text(LOGGING)
        nodes = range(1, self.nodes + 1)
        servers = "".join(f"server.{node}=127.0.0.1:{PORT + 30 + node}:{PORT + 60 + node}\n" for node in nodes)
        jars = [f"/usr/share/java/{jar}.jar" for jar in JARS]
        path = ":".join([str(stage.folder), *(jar for jar in jars if Path(jar).exists())])
        for node in nodes:
            data = stage.data_folder(f"d{node}")
            (data / "myid").write_text(f"{node}\n")
            (stage.folder / f"zoo{node}.cfg").write_text(
                f"tickTime=1000\ninitLimit=10\nsyncLimit=5\ndataDir={data}\nclientPort={PORT + node}\n"
                "clientPortAddress=127.0.0.1\nmaxClientCnxns=0\nadmin.enableServer=false\n4lw.commands.whitelist=srvr\n"
                + servers)
            stage.spawn(f"z{node}", [
                "java", "-Xms64m", "-Xmx512m", "-cp", path, "org.apache.zookeeper.server.quorum.QuorumPeerMain",
                f"zoo{node}.cfg",
            ])
        for node in nodes:
            stage.wait_for_port(PORT + node)
        self.leader = wait_for(
            lambda: next((PORT + node for node in nodes if self.mode(PORT + node) == "leader"), None), "no leader of ZooKeeper")
        run_load(self.load(stage, 64, 0, COMPILING), stage.folder, COMPILING)

    @staticmethod
    def mode(port):
        answer = b""
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
                connection.sendall(b"srvr")
                while piece := connection.recv(4096):
                    answer += piece
        except OSError:
            return None
        return next((line[6:] for line in answer.decode().splitlines() if line.startswith("Mode: ")), None)

    def load(self, stage, level, warm_up, seconds):
        return [self.program, f"127.0.0.1:{self.leader}", str(level), str(warm_up), str(seconds)]
