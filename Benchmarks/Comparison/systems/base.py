"""What the systems have in common."""

from ..measuring import figures

OPERATIONS = ("post", "claim", "consume")


class System:
    """A system under test. One object serves all rounds; each round has a stage of its own."""

    # Short and unique, as for --peers.
    name = ""
    # For people.
    title = ""
    nodes = 3
    packages = ()
    # The package whose version is told.
    versioned = None
    # Whether a majority has an acknowledged write on disk, and how that is known.
    synced = ""
    # What else should be known of a comparison with it.
    note = ""

    def build(self, folder):
        """Makes the load program in a folder that stays for all rounds."""

    def start(self, stage):
        """Starts the servers and returns when they take work."""

    def load(self, stage, level, warm_up, seconds):
        """The command of a load with so many lives in flight."""
        raise NotImplementedError

    def lives_so_far(self, _stage):
        """Where the servers count lives: how many there were. None where the load program says it."""
        return None

    def read(self, printed):
        """From what the load printed: lives per second, latencies in microseconds, and `total`, the lives of all the run."""
        found = figures(printed.strip().splitlines()[-1])
        result = {
            "lives_per_s": found["lifecycles_per_s"], "total": found["total"], "errors": found["errors"],
            "longest_gap_ms": found["maxgap_ms"],
        }
        for operation in OPERATIONS:
            result[f"{operation}_p50_us"] = found[f"{operation}_p50_us"]
            result[f"{operation}_p99_us"] = found[f"{operation}_p99_us"]
        return result
