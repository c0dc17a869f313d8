"""beanstalkd: one server with its log."""

from ..tools import compile_c
from .base import System

PORT = 23300


class Beanstalkd(System):
    name = "beanstalkd"
    title = "beanstalkd, 1 node"
    nodes = 1
    packages = ("beanstalkd", "gcc", "libc6-dev")
    versioned = "beanstalkd"
    synced = "posts and consumes, on its only disk (-f 0); claims are not logged"
    note = "one copy of everything; claims whichever job is next"

    def __init__(self):
        self.program = None

    def build(self, folder):
        self.program = compile_c("beanstalkd.c", folder)

    def start(self, stage):
        stage.spawn("b", ["beanstalkd", "-l", "127.0.0.1", "-p", str(PORT), "-b", str(stage.data_folder("d")), "-f", "0"])
        stage.wait_for_port(PORT)

    def load(self, stage, level, warm_up, seconds):
        return [self.program, str(PORT), str(level), str(warm_up), str(seconds)]
