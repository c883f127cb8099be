# SPDX-License-Identifier: MIT
# cli needs: engine
"""Every ablation under examples/ablations: its space is valid, and a small form of it runs."""
import csv
import os
import random
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

from harness import SOURCE, SPUR, Cli, main

ABLATIONS = SOURCE / "examples" / "ablations"

SMALL = """
[data]
format = shapes
samples = 60
val_samples = 20
size = 16x16
batch_size = 10
[optimizer]
name = adam
[log]
images = 0
worst = 0
"""

SMALL_UNET = """
[data]
format = buildings
size = 32x32
samples = 8
val_samples = 4
batch_size = 4
[model]
name = unet
[loss]
name = bce_dice
[train]
epochs = 1
[log]
images = 0
worst = 0
"""


class Ablations(Cli):
    def setUp(self):
        super().setUp()
        for path in ABLATIONS.glob("*.ini"):
            shutil.copy(path, self.dir)
        (self.dir / "photographs-base.ini").write_text(SMALL)
        balance = self.dir / "balance.ini"  # the small form has eight classes, not ten
        balance.write_text(balance.read_text().replace("class=8", "class=6").replace("class=9", "class=5"))
        for name in ("unet-base.ini", "street-scenes-base.ini"):
            (self.dir / name).write_text(SMALL_UNET)
        self.names = sorted(p.name for p in ABLATIONS.glob("*.ini") if "base" not in p.name)

    def test_all_are_valid_and_repeat_five_times(self):
        self.assertGreaterEqual(len(self.names), 15)
        for name in self.names:
            r = self.spur("sweep", name, "--dry-run")
            self.assertRegex(r.out, r"\d+ configurations, 5 seeds each")
            self.assertFalse((self.dir / "my_logs").exists())

    def test_small_forms_run(self):
        for name in self.names:
            with self.subTest(name):
                self.spur("sweep", name, "sweep.trials=2", "sweep.seeds=1", "train.epochs=1", "--quiet")
                folder = self.dir / "my_logs" / ("ablation_" + name[:-4])
                with open(folder / "results.csv", newline="") as f:
                    rows = list(csv.DictReader(f))
                self.assertEqual([r["state"] for r in rows], ["done", "done"])
                self.assertTrue(all(r["best"] for r in rows))

    def test_same_results_for_any_jobs_and_after_a_second_look(self):
        texts = []
        for jobs in ("1", "2"):
            self.spur("sweep", "normalization.ini", "sweep.jobs=" + jobs, "run.name=jobs" + jobs, "--quiet",
                      "sweep.seeds=1..2", "train.monitor=val_loss")
            texts.append((self.dir / "my_logs" / ("jobs" + jobs) / "results.csv").read_bytes())
        self.assertEqual(texts[0], texts[1])
        self.compare_columns()

    def compare_columns(self):
        """Each column has its own direction, whatever the monitor's; further ones stand beside the first."""
        for columns, direction in (("val_accuracy,val_loss", "max"), ("val_loss", "min"), ("loss", "min")):
            found = self.spur("compare", "my_logs/jobs1", "--metric", columns, "--json").json
            means = [c["mean"] for c in found["configurations"]]
            self.assertEqual((found["direction"], means), (direction, sorted(means, reverse=direction == "max")))
        rows = self.spur("compare", "my_logs/jobs1", "--metric", "val_accuracy,val_loss,f1", "--csv").rows
        for row in rows:
            number = {"none": 1, "dataset": 2, "imagenet": 3}[row["configuration"].split("=")[1]]
            for name, column in (("val_loss", "val_loss_mean"), ("val_accuracy", "mean"), ("f1", "f1_mean")):
                last = []
                for seed in (1, 2):
                    with open(self.dir / f"my_logs/jobs1/trial_000{number}_seed_{seed}/metrics.csv", newline="") as f:
                        last.append(float(list(csv.DictReader(f))[-1][name]))
                self.assertAlmostEqual(float(row[column]), sum(last) / 2, places=9)
        r = self.spur("compare", "my_logs/jobs1", "--metric", "val_acuracy", status=2)
        self.assertIn("no column 'val_acuracy'", r.err)

    def test_checkpoints_of_the_best_stay(self):
        self.spur("sweep", "learning_rate.ini", "sweep.seeds=1..2", "sweep.keep=best:1", "sweep.optimizer.lr=1e-3, 1e-5",
                  "run.name=kept", "--quiet")
        best = self.spur("compare", "my_logs/kept", "--json").json["configurations"][0]["label"]
        kept = [bool(list((self.dir / f"my_logs/kept/trial_000{c}_seed_{s}").glob("checkpoints/*")))
                for c in (1, 2) for s in (1, 2)]
        self.assertEqual(kept, [best == "lr=1e-3"] * 2 + [best == "lr=1e-5"] * 2)

    def test_pruned_trials_of_the_trainer(self):
        self.spur("sweep", "learning_rate.ini", "sweep.seeds=1", "train.epochs=4", "sweep.pruner=asha",
                  "sweep.asha_reduction_factor=2", "run.name=pruned", "--quiet")
        with open(self.dir / "my_logs/pruned/results.csv", newline="") as f:
            rows = list(csv.DictReader(f))
        states = [r["state"] for r in rows]
        self.assertEqual(states[0], "done")
        self.assertEqual(set(states), {"done", "pruned"})
        for r in rows:
            self.assertEqual(r["epochs"] == "4", r["state"] == "done")
        self.assertIn("sweep.asha_reduction_factor = 2\n", (self.dir / "my_logs/pruned/fingerprint.txt").read_text())

    def test_hyperband_where_the_epochs_are_varied(self):
        """A full trial is the longest one, not what [train] says; the trials see the same as the sweep."""
        self.spur("sweep", "learning_rate.ini", "sweep.seeds=1", "sweep.train.epochs=1, 4, 3", "sweep.optimizer.lr=1e-3",
                  "sweep.pruner=hyperband", "run.name=lengths", "--quiet")
        self.assertIn("sweep.hyperband_max_resource = 4\n", (self.dir / "my_logs/lengths/fingerprint.txt").read_text())

    def test_pruned_where_validation_is_rare(self):
        """An epoch without validation is no bad one: what was measured last counts there."""
        self.spur("sweep", "learning_rate.ini", "sweep.seeds=1", "train.epochs=4", "train.validate_every=2",
                  "sweep.pruner=asha", "sweep.asha_reduction_factor=2", "run.name=rare", "--quiet")
        with open(self.dir / "my_logs/rare/results.csv", newline="") as f:
            rows = list(csv.DictReader(f))
        self.assertEqual(rows[0]["state"], "done")
        for r in rows:
            self.assertGreaterEqual(int(r["epochs"]), 2)
            self.assertTrue(r["best"])

    def test_live_table(self):
        """Numbers of running trials, what tells configurations apart, no line wider than the terminal."""
        self.write("live.ini", "include = base.ini\n[data]\nsamples = 300\n"
                   "[sweep]\noptimizer.lr = 1e-3\naugment.color_jitter = 0, 0, 0, 0 | 0.125, 0.125, 0.125, 0.0625\n"
                   "data.normalization = none | dataset\nseeds = 1..2\n")
        running = r"running trial_000\d_seed_\d  epoch \d+  val_accuracy [\d.]+  (normalization|color_jitter)="
        for epochs in (3, 12, 50, 200, 800):  # until the table is drawn before a trial has ended
            shown = self.on_terminal("sweep", "live.ini", "run.name=live%d" % epochs, "train.epochs=%d" % epochs)
            live = [re.sub(r"\x1b\[\d*[A-Z]", "", line) for line in shown.split("\n") if line.endswith("\x1b[K")]
            if re.search(running, "\n".join(live)) and any(line.startswith("  2. ") for line in live):
                break
        for line in live:
            self.assertLess(len(line), 80, line)
            self.assertNotIn("lr=", line)  # the same everywhere: it would only take room
        text = "\n".join(live)
        self.assertRegex(text, running)
        self.assertRegex(text, r"\n  1\. [\d.]+ +color_jitter=.*\n  2\. ")
        self.assertRegex(text, r"\d of 8 trials done, \d running; \d+ s")
        # each block takes back what the one before has drawn, no more; the best are first, each once
        *blocks, rest = re.split(r"\x1b\[(\d+)A\x1b\[J", shown)
        for block, lines in zip(blocks[::2], blocks[1::2]):
            self.assertEqual(block.count("\x1b[K\n"), int(lines), block)
            best = re.findall(r"\n  (\d)\. ([\d.]+) +(.*)\x1b\[K", block)
            self.assertEqual([int(rank) for rank, _, _ in best], list(range(1, len(best) + 1)))
            self.assertEqual([float(value) for _, value, _ in best], sorted((float(value) for _, value, _ in best), reverse=True))
            self.assertEqual(len({configuration for _, _, configuration in best}), len(best), block)
        self.assertRegex(text, r"color_jitter=0\.125, .*\.\.\.(\n|$)")  # what has no room is seen to be missing

    def kill_everything_here(self):
        """kill -9 for every process whose working directory is this test's: the sweep and its trials."""
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if os.readlink(process / "cwd") == str(self.dir):
                    os.kill(int(process.name), signal.SIGKILL)
            except OSError:
                pass  # gone already, or not ours to look at

    def test_killed_trials_end_as_if_nothing_had_happened(self):
        words = ["sweep", "normalization.ini", "sweep.seeds=1", "train.epochs=4", "--quiet"]
        self.spur(*words, "run.name=whole")
        dice = random.Random(1)
        epochs = lambda: sum(p.read_text().count("\n") for p in self.dir.glob("my_logs/killed/*/metrics.csv"))
        for _ in range(4):
            before = epochs()
            p = subprocess.Popen([SPUR, *words, "run.name=killed"], cwd=self.dir, stdout=subprocess.DEVNULL)
            self.wait_until(lambda: epochs() > before or p.poll() is not None, p)
            time.sleep(dice.uniform(0, 0.2))
            self.kill_everything_here()
            p.wait()
        self.spur(*words, "run.name=killed")
        whole, killed = ((self.dir / "my_logs" / n) for n in ("whole", "killed"))
        self.assertEqual((whole / "results.csv").read_bytes(), (killed / "results.csv").read_bytes())
        for trial in ("trial_0001_seed_1", "trial_0002_seed_1", "trial_0003_seed_1"):
            for name in ("metrics.csv", "checkpoints/last/weights.safetensors"):
                self.assertEqual((whole / trial / name).read_bytes(), (killed / trial / name).read_bytes(), name)


if __name__ == "__main__":
    main()
