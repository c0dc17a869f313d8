"""PostgreSQL: a table of jobs, claimed with `skip locked`; each statement is a transaction."""

import os
import shutil
import subprocess

from ..processes import wait_for
from ..tools import compile_c, run
from .base import System

PORT = 23650
BIN = "/usr/lib/postgresql/15/bin"
SETTINGS = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 400
shared_buffers = 256MB
synchronous_commit = on
fsync = on
wal_level = replica
max_wal_senders = 8
hot_standby = on
"""
TABLE = (
    "create table jobs(id uuid primary key, seq bigserial, name text not null, details jsonb, owner text, "
    "posted timestamptz default now())")
INDEX = "create index on jobs(seq) where owner is null"


class PostgreSQL(System):
    name = "postgresql"
    title = "PostgreSQL, 2 standbys"
    packages = ("postgresql-15", "libpq-dev", "gcc", "libc6-dev")
    versioned = "postgresql-15"
    synced = "yes: fdatasync of the WAL on the primary and one standby (synchronous_commit on, ANY 1)"
    note = "claims whichever job is next; a connection for each in flight; no failover of its own"

    def __init__(self):
        self.program = None

    def build(self, folder):
        include = run(["pg_config", "--includedir"], "pg_config").strip()
        self.program = compile_c("postgresql.c", folder, f"-I{include}", "-lpq")

    @staticmethod
    def user():
        """It refuses to run as root."""
        return ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups"] if os.geteuid() == 0 else []

    def folder(self, stage, node):
        path = stage.data_folder(f"d{node}")
        path.chmod(0o700)
        if os.geteuid() == 0:
            shutil.chown(path, "postgres", "postgres")
        return path

    def serve(self, stage, node, data):
        stage.spawn(f"p{node}", [*self.user(), f"{BIN}/postgres", "-D", str(data), "-p", str(PORT + node)])
        ask = [f"{BIN}/pg_isready", "-q", "-h", "127.0.0.1", "-p", str(PORT + node)]
        wait_for(lambda: subprocess.run(ask, check=False).returncode == 0, f"node {node} of PostgreSQL does not answer")

    def query(self, *statements):
        command = ["psql", "-qAt", "-h", "127.0.0.1", "-p", str(PORT + 1), "-U", "postgres", "-v", "ON_ERROR_STOP=1"]
        return run(command + [word for one in statements for word in ("-c", one)], "psql").strip()

    def start(self, stage):
        primary = self.folder(stage, 1)
        run([*self.user(), f"{BIN}/initdb", "-A", "trust", "-U", "postgres", "-D", str(primary)], "initdb", cwd="/")
        with open(primary / "postgresql.conf", "a", encoding="utf-8") as file:
            file.write(SETTINGS)
        self.serve(stage, 1, primary)
        self.query(TABLE, INDEX)
        for node in range(2, self.nodes + 1):
            standby = self.folder(stage, node)
            run([
                *self.user(), f"{BIN}/pg_basebackup", "-h", "127.0.0.1", "-p", str(PORT + 1), "-U", "postgres",
                "-D", str(standby), "-R", "-X", "stream", "-c", "fast",
            ], "pg_basebackup", cwd="/")
            with open(standby / "postgresql.auto.conf", "a", encoding="utf-8") as file:
                file.write(
                    f"primary_conninfo = 'host=127.0.0.1 port={PORT + 1} user=postgres application_name=s{node}'\n")
            self.serve(stage, node, standby)
        if self.nodes > 1:
            self.query("alter system set synchronous_standby_names = 'ANY 1 (*)'", "select pg_reload_conf()")
            standing = "select count(*) from pg_stat_replication where sync_state = 'quorum'"
            wait_for(lambda: self.query(standing) == str(self.nodes - 1), "the standbys of PostgreSQL are not there")

    def load(self, stage, level, warm_up, seconds):
        return [
            self.program, f"host=127.0.0.1 port={PORT + 1} user=postgres dbname=postgres", str(level), str(warm_up),
            str(seconds),
        ]


class PostgreSQLSingle(PostgreSQL):
    name = "postgresql-single"
    title = "PostgreSQL, 1 node"
    nodes = 1
    synced = "yes, on its only disk"
    note = "one copy of everything; claims whichever job is next"
