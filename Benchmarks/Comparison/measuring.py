"""One run: a load on a system that stands, and what it cost."""

import os
import re
import subprocess
import time

from . import machine
from .datafiles import Keeper
from .processes import peak_memory, processor_seconds
from .tools import Failure

# Beyond the time a load is told to take, before it is ended.
PATIENCE = 60


def run_load(command, folder, seconds):
    """What a load program printed, and the processor time it took."""
    with open(folder / "load.out", "w+b") as out, open(folder / "load.err", "w+b") as err:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=folder)
        end = time.monotonic() + seconds + PATIENCE
        usage = None
        try:
            while True:
                pid, status, usage = os.wait4(process.pid, os.WNOHANG)
                if pid:
                    process.returncode = os.waitstatus_to_exitcode(status)
                    break
                if time.monotonic() > end:
                    raise Failure(f"the load took longer than {seconds + PATIENCE:.0f} s")
                time.sleep(0.02)
        finally:
            if process.returncode is None:
                process.kill()
                process.wait()
        out.seek(0)
        err.seek(0)
        printed, complaint = out.read().decode(errors="replace"), err.read().decode(errors="replace")
    if process.returncode != 0 or not printed.strip():
        raise Failure(f"the load failed: {complaint.strip()[-300:]}")
    return printed, usage.ru_utime + usage.ru_stime


def figures(line):
    """From `name=value` words: numbers where they are numbers."""
    found = dict(re.findall(r"(\w+)=(\S+)", line))
    return {name: float(value) if re.fullmatch(r"-?[\d.]+", value) else value for name, value in found.items()}


def measure(system, stage, level, warm_up, seconds):
    """A dictionary for the raw results. Bytes are those of all nodes together, for each life of the whole run."""
    os.sync()
    sync = machine.sync_microseconds(stage.folder)
    pids = stage.all_pids()
    keeper = Keeper(stage.data, stage.folder / "kept")
    cpu_before = sum(map(processor_seconds, pids))
    lives_before = system.lives_so_far(stage)
    device_before = machine.device_bytes(stage.folder)
    all_before, busy_before, stolen_before = machine.processor_time()
    begin = time.monotonic()
    try:
        printed, client_cpu = run_load(system.load(stage, level, warm_up, seconds), stage.folder, warm_up + seconds)
        took = time.monotonic() - begin
        all_after, busy_after, stolen_after = machine.processor_time()
        stage.check()
        now = [pid for pid in stage.all_pids() if pid in pids]
        cpu_after = sum(map(processor_seconds, now))
        memory = max((peak_memory(pid) for pid in now), default=0)
        result = system.read(printed)
        lives = system.lives_so_far(stage)
        lives = lives - lives_before if lives is not None else result.pop("total", 0)
        # What has not been synced until now is written as well.
        os.sync()
        device_after = machine.device_bytes(stage.folder)
    finally:
        grown, space = keeper.finish()
    servers = (cpu_after - cpu_before) / took
    clients = client_cpu / took
    result.update({
        "lives": round(lives), "servers_cpu": round(servers, 3), "client_cpu": round(clients, 3),
        "others_cpu": round(max(0.0, (busy_after - busy_before) / took - servers - clients), 3),
        "stolen": round((stolen_after - stolen_before) / max(all_after - all_before, 1e-9), 4),
        "sync_p50_us_before": round(sync), "peak_node_bytes": memory,
    })
    if stage.data and lives > 0:
        result["file_bytes_per_life"] = round(grown / lives, 1)
        result["du_bytes_per_life"] = round(space / lives, 1)
        if device_before is not None and device_after is not None:
            result["device_bytes_per_life"] = round((device_after - device_before) / lives, 1)
    return result

