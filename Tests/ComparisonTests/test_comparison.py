"""The arithmetic of Benchmarks/compare. Run: python3 -m unittest discover -s Tests/ComparisonTests"""

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "Benchmarks"))

from Comparison import machine  # noqa: E402: after the path to it
from Comparison.datafiles import Keeper, allocated, content_end  # noqa: E402
from Comparison.markdown import Document  # noqa: E402
from Comparison.measuring import run_load  # noqa: E402
from Comparison.processes import Stage, lives, wait_for  # noqa: E402
from Comparison.summary import Summary  # noqa: E402
from Comparison.systems import PEERS, US  # noqa: E402
from Comparison.systems.limit import Limit  # noqa: E402
from Comparison.tools import Failure  # noqa: E402


def run(system, level, speed, number=1):
    return {"system": system, "round": number, "level": level, "lives_per_s": speed, "stolen": 0.0, "others_cpu": 0.0}


class SummaryTests(unittest.TestCase):
    runs = [run("jobboard", 16, speed, number) for number, speed in enumerate((900, 1200, 600))] + [
        {**run("etcd", 16, 60), "longest_gap_ms": 2500}, {"system": "etcd", "round": 2, "error": "it fell over"}]

    def test_medians_and_ranges(self):
        self.assertEqual(Summary(self.runs).spread("jobboard", 16), (900, 600, 1200, 3))
        self.assertIsNone(Summary(self.runs).spread("jobboard", 64))

    def test_ratios_are_one_over_the_other(self):
        self.assertEqual(Summary(self.runs).ratio("jobboard", "etcd", 16), 15)
        self.assertIsNone(Summary(self.runs).ratio("jobboard", "limit", 16))

    def test_document_says_who_is_ahead_and_what_failed(self):
        systems = [US()] + [peer() for peer in PEERS if peer.name == "etcd"]
        about = {"began": "today", "rounds": 3, "seconds": 10, "warm_up": 2, "versions": {"etcd": "3.4"}}
        where = {
            "cores": 2, "processor": "P", "memory_gib": 4, "file_system": "ext4", "system": "S", "kernel": "K", "sync_p50_us": 90}
        text = Document(Summary(self.runs), systems, [16], where, about, "not a quiet machine: it hums").text()
        self.assertIn("| jobboard | **900** (600–1,200) |", text)
        self.assertIn("| etcd (3.4) | 15.0× |", text)
        self.assertIn("etcd, round 2: it fell over", text)
        self.assertIn("etcd, round 1, 16 in flight: nothing was acknowledged for 2.5 s", text)
        self.assertIn("**Not a quiet machine: it hums.**", text)


class MachineTests(unittest.TestCase):
    quiet = {"cores": 2, "load": 0.1}

    def test_quiet(self):
        self.assertIsNone(machine.disturbance(self.quiet, [run("etcd", 1, 1)]))

    def test_disturbed_before_and_meanwhile(self):
        self.assertIn("load was 3.00", machine.disturbance({"cores": 2, "load": 3.0}, []))
        busy = {**run("etcd", 1, 1), "others_cpu": 0.5, "stolen": 0.2}
        said = machine.disturbance(self.quiet, [busy])
        self.assertIn("20 % of the processor", said)
        self.assertIn("50 % of a core", said)


class DataFileTests(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.root = Path(self.folder.name)

    def test_zeros_at_the_end_are_no_content(self):
        file = self.root / "log"
        file.write_bytes(b"\0\0words" + b"\0" * 3_000_000)
        self.assertEqual(content_end(file), 7)
        self.assertGreaterEqual(allocated([self.root]), 3_000_000)
        file.write_bytes(b"\0" * 5000)
        self.assertEqual(content_end(file), 0)

    def test_removed_and_renamed_files_stay_counted(self):
        data = self.root / "data"
        data.mkdir()
        (data / "old").write_bytes(b"x" * 100)
        keeper = Keeper([data], self.root / "kept")
        (data / "gone").write_bytes(b"x" * 1000)
        keeper.look()
        (data / "gone").unlink()
        (data / "old").rename(data / "renamed")
        with open(data / "renamed", "ab") as file:
            file.write(b"x" * 10)
        grown, _ = keeper.finish()
        self.assertEqual(grown, 1010)
        self.assertFalse((self.root / "kept").exists())


class ProcessTests(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def test_a_stage_ends_what_descends_from_its_servers(self):
        stage = Stage(Path(self.folder.name) / "stage")
        stage.spawn("parent", ["sh", "-c", "sleep 60 & wait"])
        wait_for(lambda: len(stage.all_pids()) == 2, "no child", 20)
        pids = stage.all_pids()
        stage.stop()
        self.assertFalse(any(lives(pid) for pid in pids))

    def test_a_load_that_fails_is_told(self):
        with self.assertRaisesRegex(Failure, "no such thing"):
            run_load(["sh", "-c", "echo no such thing >&2; exit 3"], Path(self.folder.name), 1)

    def test_processor_time_of_a_load(self):
        printed, used = run_load(
            [sys.executable, "-c", "import time\nwhile time.process_time() < 0.3: pass\nprint('x=1')"], Path(self.folder.name), 5)
        self.assertEqual(printed, "x=1\n")
        self.assertGreaterEqual(used, 0.3)


@unittest.skipUnless(subprocess.run(["sh", "-c", "command -v gcc"], capture_output=True, check=False).returncode == 0, "no gcc")
class LimitTests(unittest.TestCase):
    def test_the_limit_program_acknowledges(self):
        with tempfile.TemporaryDirectory() as folder:
            limit = Limit()
            limit.build(folder)
            stage = Stage(os.path.join(folder, "stage"))
            found = limit.read(run_load(limit.load(stage, 4, 0.1, 0.5), stage.folder, 2)[0])
            self.assertGreater(found["lives_per_s"], 0)


if __name__ == "__main__":
    unittest.main()
