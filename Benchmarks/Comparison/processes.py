"""Processes of one system under test, and what `/proc` tells of them."""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

from .tools import Failure

TICK = 1 / os.sysconf("SC_CLK_TCK")


def wait_for(condition, what, seconds=60.0):
    """Asks again and again; returns the first true answer."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = condition()
        if answer:
            return answer
        time.sleep(0.05)
    raise Failure(f"{what} within {seconds:.0f} s")


def listens(port):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def text(path):
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def tree(pid):
    """A process and all that descend from it."""
    children = " ".join(text(path) for path in Path(f"/proc/{pid}/task").glob("*/children")).split()
    return [pid] + [one for child in children for one in tree(int(child))]


def lives(pid):
    stat = text(f"/proc/{pid}/stat")
    return bool(stat) and stat.rpartition(")")[2].split()[0] != "Z"


def processor_seconds(pid):
    """Its own and that of children it has waited for; see proc(5)."""
    fields = text(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:15]) * TICK if fields else 0.0


def peak_memory(pid):
    for line in text(f"/proc/{pid}/status").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0


class Stage:
    """A folder on the disk that is measured, and the servers that run in it. Ends what it started, by process id."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True)
        # Servers that run as another user must get through.
        self.folder.chmod(0o755)
        self.data = []
        self.servers = []

    def data_folder(self, name):
        """A new folder that counts as a node's data."""
        path = self.folder / name
        path.mkdir()
        self.data.append(path)
        return path

    def spawn(self, name, command, **options):
        with open(self.folder / f"{name}.log", "ab") as log:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder, **options)
        self.servers.append((name, process))
        return process

    def wait_for_port(self, port, seconds=60.0):
        def look():
            self.check()
            return listens(port)

        wait_for(look, f"nobody listens on port {port}", seconds)

    def check(self):
        """Fails when a server has ended."""
        for name, process in self.servers:
            if process.poll() is not None:
                raise Failure(f"{name} has ended: {self.last_words(name)}")

    def last_words(self, name):
        return text(self.folder / f"{name}.log").strip()[-300:]

    def all_pids(self):
        return [pid for _, process in self.servers if process.poll() is None for pid in tree(process.pid)]

    def stop(self):
        pids = self.all_pids()
        for _, process in reversed(self.servers):
            if process.poll() is None:
                process.terminate()
        self.wait_for_end(pids, 8)
        for pid in pids:
            if lives(pid):
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
        self.wait_for_end(pids, 8)
        for _, process in self.servers:
            process.wait()
        self.servers = []

    def wait_for_end(self, pids, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end and any(lives(pid) for pid in pids):
            for _, process in self.servers:
                process.poll()
            time.sleep(0.02)
