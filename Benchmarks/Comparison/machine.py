"""The machine that measures, and whether it has anything else to do. The same words as `jobboard bench`."""

import os
import platform
import statistics
import tempfile
import time

from .processes import TICK, text


def look(folder):
    """What machine this is, as a dictionary for the raw results."""
    names = [line for line in text("/proc/cpuinfo").splitlines() if line.startswith("model name")]
    memory = [line for line in text("/proc/meminfo").splitlines() if line.startswith("MemTotal:")]
    release = dict(line.split("=", 1) for line in text("/etc/os-release").splitlines() if "=" in line)
    return {
        "cores": len(os.sched_getaffinity(0)),
        "processor": names[0].split(":", 1)[1].strip() if names else platform.machine(),
        "memory_gib": round(int(memory[0].split()[1]) / 2**20) if memory else None,
        "kernel": platform.release(),
        "system": release.get("PRETTY_NAME", "Linux").strip('"'),
        "file_system": file_system(folder),
        "sync_p50_us": round(sync_microseconds(folder)),
        "load": os.getloadavg()[0],
    }


def wait_until_quiet(seconds):
    """What was built just before counts in the load for a while, so that is waited for."""
    end = time.monotonic() + seconds
    while os.getloadavg()[0] > len(os.sched_getaffinity(0)) / 4 and time.monotonic() < end:
        time.sleep(1)


def disturbance(machine, runs):
    """Why figures may be worse than the machine, if so."""
    reasons = []
    if machine["load"] > machine["cores"] / 4:
        reasons.append(f"the load was {machine['load']:.2f} before it began")
    stolen = max((run["stolen"] for run in runs), default=0)
    if stolen > 0.01:
        reasons.append(f"other machines took up to {stolen * 100:.0f} % of the processor during a run")
    others = max((run["others_cpu"] for run in runs), default=0)
    if others > 0.1:
        reasons.append(f"other processes took up to {others * 100:.0f} % of a core during a run")
    return "not a quiet machine: " + ", ".join(reasons) if reasons else None


def file_system(folder):
    """The kind of the one with the longest mount point above the folder."""
    folder = os.path.realpath(folder)
    mounts = [line.split() for line in text("/proc/mounts").splitlines()]
    above = [(len(one[1]), one[2]) for one in mounts if os.path.commonpath([folder, one[1]]) == one[1]]
    return max(above)[1] if above else "unknown"


def sync_microseconds(folder, count=64):
    """The median time of overwriting a page and waiting for fdatasync."""
    page = b"\x5a" * 4096
    times = []
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(page * count)
        file.flush()
        os.fsync(file.fileno())
        for place in range(count):
            begin = time.perf_counter()
            os.pwrite(file.fileno(), page, place * len(page))
            os.fdatasync(file.fileno())
            times.append((time.perf_counter() - begin) * 1e6)
    return statistics.median(times)


def processor_time():
    """Seconds so far, of all cores: in all, busy, and taken by other machines."""
    ticks = [int(field) for field in text("/proc/stat").splitlines()[0].split()[1:9]]
    idle, stolen = ticks[3] + ticks[4], ticks[7]
    return sum(ticks) * TICK, (sum(ticks) - idle - stolen) * TICK, stolen * TICK


def device_bytes(folder):
    """What the device below the folder has been sent by anybody; None where no single device can be told.

    What processes are said to have written is no use: the kernel counts the whole of a large folio for a page of it.
    """
    device = os.stat(folder).st_dev
    number = [str(os.major(device)), str(os.minor(device))]
    for line in text("/proc/diskstats").splitlines():
        fields = line.split()
        if fields[:2] == number:
            return int(fields[9]) * 512
    return None
