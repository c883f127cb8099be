# SPDX-License-Identifier: MIT
"""What tests of spur train and resume share: a small run, and what it left, to compare."""
import csv
import hashlib
import os

from harness import Cli

AT_ONCE = "1e-9"  # a max_time that is over after the first step

SMALL = """
[run]
seed = 3
[data]
format = shapes
size = 8x8
samples = 160
val_samples = 40
batch_size = 16
[augment]
horizontal_flip = 0.5
[model]
name = my_net
[optimizer]
name = adam
[scheduler]
name = cosine
[train]
epochs = 3
checkpoint_every = 4
[log]
images = 2
worst = 2
flush_secs = 0.1
"""

SHAPES = """
[data]
format = shapes
size = 8x8
samples = 160
val_samples = 40
test_samples = 24
batch_size = 16
[model]
name = my_net
[train]
epochs = 2
[log]
images = 0
worst = 0
"""
SCENES = """
[data]
format = buildings
size = 32x32
samples = 16
val_samples = 4
batch_size = 4
[model]
name = unet
base_filters = 4
depth = 2
[train]
epochs = 1
"""


class Run(Cli):
    def setUp(self):
        super().setUp()
        self.write("a.ini", SMALL)

    def run_dirs(self):
        base = self.dir / "my_logs"
        return sorted(p for p in base.iterdir()) if base.exists() else []

    def train(self, *overrides, **more):
        """Trains and returns the run's directory."""
        before = set(self.run_dirs())
        self.spur("train", "a.ini", *overrides, **more)
        return (set(self.run_dirs()) - before).pop()

    def digest(self, run):
        """Everything that must not depend on how a run came to its end."""
        out = {"metrics.csv": (run / "metrics.csv").read_bytes()}
        for link in ("last", "best"):
            out[link] = os.readlink(run / "checkpoints" / link)
        out["resume"] = sorted(os.listdir(run / "resume"))
        for path in sorted((run / "checkpoints").glob("step_*/*")):
            out[str(path.relative_to(run))] = hashlib.sha256(path.read_bytes()).hexdigest()
        scalars = self.spur("export", run, "--csv").out
        rows = [(r["run"], r["tag"], r["step"], r["value"]) for r in csv.DictReader(scalars.splitlines())
                if not r["tag"].startswith("perf/")]
        out["scalars"] = sorted(rows)
        return out

    def rows(self, path):
        return list(csv.DictReader(path.read_text().splitlines()))

    def status(self, run):
        text = (run / "status.ini").read_text()
        return dict(line.split(" = ", 1) for line in text.splitlines() if " = " in line)


class Trained(Cli):
    """Tests of what is done with a run that is there."""

    def train(self, text, *overrides):
        self.write("a.ini", text)
        before = set(self.dir.glob("my_logs/*"))
        self.spur("train", "a.ini", "--quiet", *overrides)
        return (set(self.dir.glob("my_logs/*")) - before).pop()

    def table(self, path):
        return list(csv.DictReader(path.read_text().splitlines()))
