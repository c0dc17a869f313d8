"""Not a job board: what three processes and their disks allow at best."""

from ..measuring import figures
from ..tools import compile_c
from .base import System


class Limit(System):
    name = "limit"
    title = "limit program"
    packages = ("gcc", "libc6-dev")
    synced = "yes: fdatasync on two of three"
    note = (
        "no job board: a leader and two followers append 200 bytes each and answer; three appends count as a life. No "
        "terms, no log to match, no state, into files written once before")

    def __init__(self):
        self.program = None

    def build(self, folder):
        self.program = compile_c("limit.c", folder, "-pthread")

    def load(self, stage, level, warm_up, seconds):
        return [self.program, "repl", str(stage.folder), str(warm_up), str(seconds), str(level), "overwrite"]

    def read(self, printed):
        found = figures(printed.strip().splitlines()[-1])
        return {
            "lives_per_s": found["lifecycles_per_s"], "errors": 0, "append_p50_us": found["p50_us"],
            "append_p99_us": found["p99_us"],
        }
