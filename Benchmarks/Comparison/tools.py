"""Packages of the system, and building the load programs."""

import os
import shutil
import subprocess
from pathlib import Path

LOADS = Path(__file__).resolve().parent.parent / "Loads"
# Debian's interpreter, since that is the one which finds Debian's libraries.
SYSTEM_PYTHON = "/usr/bin/python3"
GUARD = Path("/usr/sbin/policy-rc.d")


class Failure(Exception):
    """What is told to the user in place of a figure."""


def is_installed(package):
    answer = subprocess.run(["dpkg-query", "-W", "-f", "${Status}", package], capture_output=True, text=True, check=False)
    return answer.stdout == "install ok installed"


def install(packages, log):
    """Installs what is missing, without starting any of the services that come with it."""
    missing = sorted({package for package in packages if not is_installed(package)})
    if not missing:
        return
    if shutil.which("apt-get") is None:
        raise Failure(f"these must be installed, and there is no apt-get: {' '.join(missing)}")
    root = [] if os.geteuid() == 0 else ["sudo"]
    command = root + ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-y", "-qq", "--no-install-recommends"]
    log(f"installing {' '.join(missing)} (Debian packages)")
    # invoke-rc.d(8) asks this file whether a service may start: 101 is no.
    guarded = not GUARD.exists()
    if guarded:
        subprocess.run(root + ["install", "-m", "755", "/dev/stdin", str(GUARD)], input=b"#!/bin/sh\nexit 101\n", check=True)
    try:
        if subprocess.run(command + missing, capture_output=True, check=False).returncode != 0:
            subprocess.run(root + ["apt-get", "update", "-qq"], capture_output=True, check=False)
            again = subprocess.run(command + missing, capture_output=True, text=True, check=False)
            if again.returncode != 0:
                raise Failure(f"apt-get can't install {' '.join(missing)}: {again.stderr.strip()[-300:]}")
    finally:
        if guarded:
            subprocess.run(root + ["rm", "-f", str(GUARD)], check=False)


def version(package):
    """As Debian names it, without its own revision; None where it is not installed."""
    answer = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", package], capture_output=True, text=True, check=False)
    if answer.returncode != 0 or not answer.stdout:
        return None
    return answer.stdout.split(":")[-1].split("-")[0].split("+")[0]


def run(command, what, **options):
    """The output of a command that must succeed."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=1200, **options)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Failure(f"{what}: {error}") from error
    if done.returncode != 0:
        raise Failure(f"{what}: {(done.stderr or done.stdout).strip()[-500:]}")
    return done.stdout


def compile_c(source, folder, *flags):
    """A load program from Loads; returns where it is."""
    program = Path(folder) / source.removesuffix(".c")
    run(["gcc", "-O2", "-o", str(program), str(LOADS / source), *flags], f"can't compile {source}")
    return str(program)


def compile_go(source, folder):
    """Against the Go libraries that Debian packages."""
    program = Path(folder) / source.removesuffix(".go")
    # In a folder of its own: beside C sources Go would want to link them.
    alone = Path(folder) / f"{program.name}-source"
    alone.mkdir(exist_ok=True)
    shutil.copy(LOADS / source, alone / source)
    environment = {**os.environ, "GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOFLAGS": ""}
    run(["go", "build", "-o", str(program), source], f"can't compile {source}", cwd=alone, env=environment)
    return str(program)
