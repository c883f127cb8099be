# SPDX-License-Identifier: MIT
"""A running TensorBoard follows files that grow, runs that appear, and runs that are resumed.

usage: test_live.py fast|slow LIVE_WRITER WORK_FOLDER
"""
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

from tb import TensorBoard, eventually

LOADER = LIVE_WRITER = work = None


class Writers:
    """live_writer's process; each command is answered before the next one."""

    def __init__(self):
        self.process = subprocess.Popen([LIVE_WRITER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def tell(self, *words):
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().split()
        assert answer and answer[0] == "ok", f"{words}: {answer}"
        return answer[1:]

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def end(self):
        self.process.stdin.close()
        assert self.process.wait() == 0
        self.process.stdout.close()


class Live(unittest.TestCase):
    def setUp(self):
        self.root = work / LOADER / self._testMethodName
        shutil.rmtree(self.root, ignore_errors=True)
        self.root.mkdir(parents=True)
        self.writers = Writers()

    def tearDown(self):
        self.writers.kill()

    def server(self):
        server = TensorBoard(self.root, LOADER == "fast")
        self.addCleanup(server.close)
        return server

    def assert_shown(self, server, run, tag, want):
        """The points become exactly `want`, a list of (step, value), and stay so."""

        def check():
            points = server.json("/data/plugin/scalars/scalars", run=run, tag=tag)
            assert [(s, v) for _, s, v in points] == want, f"{run}/{tag}: {[(s, v) for _, s, v in points]}"
            return True

        eventually(check)

    def test_growing_file(self):
        tell = self.writers.tell
        tell("open", 0, self.root / "run")
        tell("scalar", 0, "loss", 1, 10, 0.5)
        tell("flush", 0)
        server = self.server()
        self.assert_shown(server, "run", "loss", [(s, s / 2) for s in range(1, 11)])
        for last in (11, 20, 500):
            tell("scalar", 0, "loss", {11: 11, 20: 12, 500: 21}[last], last, 0.5)
            tell("flush", 0)
            self.assert_shown(server, "run", "loss", [(s, s / 2) for s in range(1, last + 1)])
        tell("scalar", 0, "other", 1, 3, 1)
        tell("close", 0)
        self.assert_shown(server, "run", "other", [(s, float(s)) for s in range(1, 4)])

    def test_seen_without_a_flush(self):
        """The background thread alone brings a point to the reader."""
        tell = self.writers.tell
        tell("open", 0, self.root / "run")
        server = self.server()
        tell("scalar", 0, "loss", 7, 7, 1)
        self.assert_shown(server, "run", "loss", [(7, 7.0)])

    def test_second_run_appears(self):
        tell = self.writers.tell
        tell("open", 0, self.root / "one")
        tell("scalar", 0, "loss", 0, 4, 1)
        tell("flush", 0)
        server = self.server()
        server.wait_for_runs({"one"})
        tell("open", 1, self.root / "two" / "train")
        for step in range(5):
            tell("scalar", 1, "loss", step, step, 2)
            tell("scalar", 0, "loss", 5 + step, 5 + step, 1)
        tell("flush", 0)
        tell("flush", 1)
        server.wait_for_runs({"one", "two/train"})
        self.assert_shown(server, "one", "loss", [(s, float(s)) for s in range(10)])
        self.assert_shown(server, "two/train", "loss", [(s, 2.0 * s) for s in range(5)])

    def test_truncated_tail_is_completed(self):
        """A file of which only a part has arrived, at every kind of place, is read to its end later."""
        tell = self.writers.tell
        tell("open", 0, self.root / "whole")
        tell("scalar", 0, "loss", 0, 9, 1)
        tell("close", 0)
        (source,) = (self.root / "whole").iterdir()
        data = source.read_bytes()
        parts = {}
        for cut in (1, 9, 20, len(data) - 1, len(data) - 6, len(data) - 50):
            folder = self.root / f"cut_{cut}"
            folder.mkdir()
            parts[folder / source.name] = cut
            (folder / source.name).write_bytes(data[:cut])
        server = self.server()
        self.assert_shown(server, f"cut_{len(data) - 1}", "loss", [(s, float(s)) for s in range(9)])
        for path, cut in parts.items():
            with open(path, "ab") as file:
                file.write(data[cut:])
        for path in parts:
            self.assert_shown(server, path.parent.name, "loss", [(s, float(s)) for s in range(10)])

    def test_restart_with_purge(self):
        tell, run = self.writers.tell, self.root / "run"
        tell("open", 0, run)
        tell("scalar", 0, "a", 0, 9, 1)
        tell("scalar", 0, "b", 0, 9, 1)
        tell("flush", 0)
        server = self.server()
        self.assert_shown(server, "run", "b", [(s, float(s)) for s in range(10)])
        self.writers.kill()
        self.writers = Writers()
        tell = self.writers.tell
        tell("purge", 0, run, 5)
        tell("scalar", 0, "a", 5, 12, 10)
        tell("scalar", 0, "b", 5, 6, 10)
        tell("flush", 0)
        for shown in (server, self.server()):
            old = [(s, float(s)) for s in range(5)]
            self.assert_shown(shown, "run", "a", old + [(s, 10.0 * s) for s in range(5, 13)])
            self.assert_shown(shown, "run", "b", old + [(s, 10.0 * s) for s in range(5, 7)])

    def test_continue_from_checkpoint(self):
        """The points after the checkpoint vanish, none comes twice; twice in a row."""
        tell, run = self.writers.tell, self.root / "run"
        tell("open", 0, run)
        tell("scalar", 0, "loss", 0, 9, 1)
        tell("scalar", 0, "gone", 0, 3, 1)
        file, length = tell("checkpoint", 0)
        tell("scalar", 0, "loss", 10, 15, 1)
        tell("scalar", 0, "late", 10, 15, 1)
        tell("flush", 0)
        server = self.server()
        self.assert_shown(server, "run", "loss", [(s, float(s)) for s in range(16)])
        self.assert_shown(server, "run", "late", [(s, float(s)) for s in range(10, 16)])
        want = [(s, float(s)) for s in range(10)]
        for slope, first, last in ((2, 10, 12), (3, 13, 20)):
            self.writers.kill()
            self.writers = Writers()
            tell = self.writers.tell
            tell("continue", 0, run, file, length)
            tell("scalar", 0, "loss", first, last, slope)
            want += [(s, float(slope * s)) for s in range(first, last + 1)]
            file, length = tell("checkpoint", 0)
            tell("scalar", 0, "loss", last + 1, last + 3, -1)
            tell("flush", 0)
            lost = [(s, -float(s)) for s in range(last + 1, last + 4)]
            for shown in (server, self.server()):
                self.assert_shown(shown, "run", "loss", want + lost)
                self.assert_shown(shown, "run", "gone", [(s, float(s)) for s in range(4)])
            *retired, current = sorted(run.iterdir())
            self.assertTrue(all(p.stat().st_size < 300 for p in retired))
            self.assertGreater(current.stat().st_size, 1000)


if __name__ == "__main__":
    LOADER, LIVE_WRITER, work = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    unittest.main(argv=sys.argv[:1], verbosity=2)
