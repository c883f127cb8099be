# SPDX-License-Identifier: MIT
# cli needs: engine
"""spur train and resume: what a run leaves, interruptions that leave no trace, wrong input."""
import csv
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import time
import unittest
from pathlib import Path

from harness import SPUR, Cli, main

SMALL = """
[run]
seed = 3
[data]
format = shapes
size = 24x24
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


class Train(Run):
    def test_what_a_run_leaves(self):
        run = self.train("optimizer.lr=0.002")
        files = set(self.tree(run))
        for name in ("config.ini", "overrides.ini", "env.ini", "status.ini", "metrics.csv", "stdout.log", "data.ini"):
            self.assertIn(name, files)
        self.assertIn("lr = 0.002", (run / "overrides.ini").read_text())
        self.assertIn("spur train a.ini optimizer.lr=0.002", (run / "overrides.ini").read_text())
        self.assertEqual(self.status(run)["state"], "done")
        self.assertEqual(self.status(run)["exit"], "0")
        rows = self.rows(run / "metrics.csv")
        self.assertEqual([r["epoch"] for r in rows], ["1", "2", "3"])
        self.assertEqual([r["step"] for r in rows], ["10", "20", "30"])
        self.assertLess(float(rows[-1]["loss"]), float(rows[0]["loss"]))
        tags = {r["tag"] for r in self.spur("export", run, "--csv").rows}
        for tag in ("epoch_loss", "epoch_accuracy", "epoch_learning_rate", "batch_loss", "batch_gradient_norm",
                    "evaluation_loss_vs_iterations", "perf/samples_per_second"):
            self.assertIn(tag, tags)
        self.assertTrue((run / "checkpoints/best/weights.safetensors").exists())

    def test_what_a_regression_shows(self):
        line = "%.3f,%.3f,%.3f,%.3f"
        rows = [((i * 37 % 101) / 50 - 1, (i * 61 % 97) / 48 - 1) for i in range(120)]
        text = "\n".join(["a,b,size,weight"] + [line % (a, b, 20 + 8 * a - b, a * b) for a, b in rows])
        self.write("data/train.csv", text)
        self.write("data/val.csv", text)
        self.write("r.ini", "[data]\nformat = csv\npath = data\ntarget = weight\nleave_out = size\n[model]\nname = mlp\n"
                            "[loss]\nname = mse\n[train]\nepochs = 3\n[log]\nimages = 0\nimages_every = 2\nembeddings = 7\n")

        def pictures(*overrides):
            """The run, its pictures as (tag, step), and where they were written."""
            before = set(self.run_dirs())
            self.spur("train", "r.ini", *overrides)
            run = (set(self.run_dirs()) - before).pop()
            listed = self.spur("export", run, "--kind", "image", "-o", run / "pictures", status=None)
            return run, [(r["tag"], int(r["step"])) for r in listed.rows], [r["file"] for r in listed.rows]

        run, shown, files = pictures()
        self.assertEqual(shown, [("predicted_vs_true", 2), ("predicted_vs_true", 3)])
        self.assertNotEqual((self.dir / files[0]).read_bytes(), (self.dir / files[1]).read_bytes())
        self.assertTrue((self.dir / files[0]).read_bytes().startswith(b"\x89PNG"))
        points = (run / "validation/projector/features-00003/metadata.tsv").read_text().splitlines()
        self.assertEqual(points[0], "truth\tanswer")
        self.assertEqual([float(p.split("\t")[0]) for p in points[1:]], [round(a * b, 3) for a, b in rows[:7]])
        _, shown, _ = pictures("data.target=size, weight", "data.leave_out=", "log.images_every=3")
        self.assertEqual(shown, [("predicted_vs_true/value_0", 3), ("predicted_vs_true/value_1", 3)])
        self.assertEqual(pictures("log.scatter=false")[1], [])

    def test_same_seed_same_bits_for_any_threads(self):
        one = self.digest(self.train("run.threads=1", "data.workers=0"))
        two = self.digest(self.train("run.threads=2", "data.workers=3"))
        other = self.digest(self.train("run.seed=4"))
        self.assertEqual(one, two)
        self.assertNotEqual(one["metrics.csv"], other["metrics.csv"])

    def test_config_of_a_run_repeats_it(self):
        first = self.train()
        shutil.copy(first / "config.ini", self.dir / "a.ini")
        second = self.train()
        self.assertEqual((first / "config.ini").read_bytes(), (second / "config.ini").read_bytes())
        self.assertEqual(self.digest(first), self.digest(second))

    def test_print_config_reads_back(self):
        once = self.spur("train", "a.ini", "train.ema=0.5", "--print-config").out
        self.write("b.ini", once)
        self.assertEqual(self.spur("train", "b.ini", "--print-config").out, once)
        self.assertIn("ema = 0.5", once)
        self.assertEqual(self.run_dirs(), [])

    def test_dry_run_and_quiet(self):
        shown = self.spur("train", "a.ini", "--dry-run").out
        self.assertIn("160 training, 40 validation samples of 24x24x3, 8 classes", shown)
        self.assertEqual(self.run_dirs(), [])
        r = self.spur("train", "a.ini", "--quiet", "train.epochs=1")
        self.assertEqual((r.out, r.err), ("", ""))

    def test_json_lines(self):
        lines = self.spur("train", "a.ini", "--json").json_lines
        self.assertEqual([l["event"] for l in lines], ["epoch"] * 3 + ["end"])
        self.assertEqual(lines[2]["step"], 30)
        self.assertEqual(lines[3]["monitor"], "val_accuracy")

    def test_a_bar_on_a_terminal_only(self):
        shown = self.on_terminal("train", "a.ini", "train.epochs=1")
        self.assertIn("Epoch 1/1 \x1b[36m", shown)
        self.assertIn("img/s", shown)
        self.assertNotIn("\x1b", self.spur("train", "a.ini", "train.epochs=1").out)

    def test_where_tensorboard_finds_the_run(self):
        out = self.spur("train", "a.ini", "train.epochs=1", "train.max_steps=1", env={"SPUR_RUN_DIR": "trials/one"}).out
        self.assertIn("TensorBoard: tensorboard --logdir=trials\n", out)
        self.assertIn("Trained 1 epoch (1 step) in ", out)
        self.assertIn("--logdir=./my_logs\n", self.spur("train", "a.ini", "train.epochs=1").out)

    def test_huge_values_keep_their_length(self):
        table = "a,y\n" + "".join("%d,%d\n" % (i % 7, i * 10**7) for i in range(20))
        self.write("data/train.csv", table)
        self.write("data/val.csv", table)
        self.write("r.ini", "[data]\nformat = csv\npath = data\ntarget = y\n[model]\nname = mlp\n[loss]\nname = mse\n"
                            "[optimizer]\nlr = 0\n[train]\nepochs = 1\n")
        self.assertRegex(self.spur("train", "r.ini").out, r"loss 1\.\d+e\+16\|1\.\d+e\+16  mae 9\.\d+e\+07")

    def test_output_that_nobody_reads(self):
        self.run_program("bash", "-c", "set -o pipefail; \"$@\" | head -n 1", "bash", SPUR, "train", "a.ini")
        self.assertEqual(self.status(self.run_dirs()[0])["state"], "done")

    def test_a_bar_keeps_to_its_line(self):
        """A line of the terminal's full width would scroll at every redrawing."""
        for columns in (12, 40, 60, 80):
            shown = self.on_terminal("train", "a.ini", "train.epochs=1", columns=columns)
            bars = [part.split("\x1b[K")[0] for part in shown.split("\r")[1:]]
            self.assertTrue(any("Epoch 1/1" in bar for bar in bars))
            for bar in bars:
                self.assertLess(len(re.sub("\x1b\\[[0-9]*m", "", bar)), columns, bar)

    def test_no_color(self):
        os.environ["NO_COLOR"] = "1"
        self.addCleanup(os.environ.pop, "NO_COLOR")
        shown = self.on_terminal("train", "a.ini", "train.epochs=1")
        self.assertIn("Epoch 1/1 \u2501", shown)
        self.assertNotIn("m\u2501", shown)
        os.environ["NO_COLOR"] = ""
        self.assertIn("\x1b[36m", self.on_terminal("train", "a.ini", "train.epochs=1"))

    def test_metrics_as_the_help_writes_them(self):
        """With all their options, between commas: `iou(average=macro, class=all)`."""
        page = self.spur("help", "--markdown").out
        names = re.findall(r"^- `(\w+(?:\([^)]*\))?)`: ", page[page.index("## [train]"):page.index("## [log]")], re.M)
        names = [name for name in names if name not in ("mae", "mse")]  # these are for numbers
        self.assertIn("iou(average=macro, class=all)", names)
        self.spur("train", "a.ini", "--dry-run", "train.metrics=" + ", ".join(names))

    def test_overfit_limit_and_max_steps(self):
        run = self.train("--overfit", "16", "train.epochs=30", "augment.horizontal_flip=0", "log.images=0")
        rows = self.rows(run / "metrics.csv")
        self.assertGreater(float(rows[-1]["val_accuracy"]), 0.9)
        run = self.train("--limit-batches", "3")
        self.assertEqual(self.rows(run / "metrics.csv")[-1]["step"], "9")
        run = self.train("train.max_steps=7")
        rows = self.rows(run / "metrics.csv")
        self.assertEqual([r["step"] for r in rows], ["7"])
        self.assertEqual(self.status(run)["state"], "done")

    def test_limited_validation_is_spread_over_the_data(self):
        """The first batches of sorted data are not what the data are like."""
        table = "a,y\n" + "".join("%d,%d\n" % (i % 7, i) for i in range(100))
        self.write("data/train.csv", table)
        self.write("data/val.csv", table)
        self.write("r.ini", "[data]\nformat = csv\npath = data\ntarget = y\nbatch_size = 5\n[model]\nname = mlp\n"
                            "[loss]\nname = mse\n[optimizer]\nlr = 0\n[train]\nepochs = 2\n")
        run = self.dir / "limited"
        self.spur("train", "r.ini", "--limit-batches", "2", env={"SPUR_RUN_DIR": str(run)})
        rows = self.rows(run / "metrics.csv")
        self.assertGreater(float(rows[0]["val_mae"]), 30)  # the mean of y is 49.5, of its first ten 4.5
        self.assertEqual(rows[0]["val_mae"], rows[1]["val_mae"])

    def test_keep(self):
        """So many checkpoints beside those that `best` and `last` are."""
        run = self.train("train.epochs=5", "train.checkpoint_every=0", "train.monitor=loss", "train.keep=2")
        links = {os.readlink(run / "checkpoints" / name) for name in ("best", "last")}
        steps = {p.name for p in (run / "checkpoints").glob("step_*")}
        self.assertLessEqual(links, steps)
        others = sorted(steps - links)
        self.assertEqual(len(others), 2)
        self.assertEqual(others, sorted({"step_%d" % s for s in (10, 20, 30, 40, 50)} - links)[-2:])

    def test_early_stopping(self):
        run = self.train("train.early_stopping=2", "optimizer.lr=0", "train.epochs=20")
        self.assertEqual(len((run / "metrics.csv").read_text().splitlines()), 1 + 3)
        self.assertEqual(self.status(run)["message"], "stopped early")
        self.assertEqual(os.readlink(run / "checkpoints/best"), "step_10")

    def test_accumulation_equals_a_larger_batch(self):
        def losses(*options):
            run = self.train("optimizer.name=sgd", "optimizer.lr=0.05", "scheduler.name=constant", "model.name=mlp",
                             "augment.horizontal_flip=0", "train.epochs=1", *options)
            return [float(r["val_loss"]) for r in self.rows(run / "metrics.csv")]
        whole, parts = losses("data.batch_size=32"), losses("data.batch_size=8", "train.accumulate=4")
        self.assertAlmostEqual(whole[0], parts[0], places=4)

    def test_ema_and_clipping_and_head_rate(self):
        plain = self.train()
        ema = self.train("train.ema=0.9", "train.clip_norm=0.5", "train.clip_value=0.01", "model.head_lr=2")
        self.assertNotEqual((plain / "metrics.csv").read_bytes(), (ema / "metrics.csv").read_bytes())

    def test_retention(self):
        run = self.train("train.keep=2", "train.checkpoint_every=0", "train.epochs=5")
        names = {p.name for p in (run / "checkpoints").glob("step_*")}
        best = os.readlink(run / "checkpoints/best")
        self.assertEqual(os.readlink(run / "checkpoints/last"), "step_50")
        self.assertTrue({"step_50", best} <= names and len(names) <= 4, names)

    def test_a_sweep_section_is_ignored_aloud(self):
        self.write("a.ini", SMALL + "[sweep]\noptimizer.lr = 1e-2, 1e-3\n")
        self.assertIn("[sweep] is ignored here", self.spur("train", "a.ini", "train.epochs=1").out)

    def test_balance_is_shown_and_counts(self):
        long_tail = "data.imbalance=exp:0.1"
        plain = self.train(long_tail)
        weighted = self.train(long_tail, "balance.method=class_weights")
        sampled = self.train(long_tail, "balance.method=weighted_sampler")
        losses = {(run / "metrics.csv").read_bytes() for run in (plain, weighted, sampled)}
        self.assertEqual(len(losses), 3)
        self.assertNotIn("data/class_weights", self.spur("inspect", plain).out)
        self.assertIn("data/class_weights", self.spur("inspect", weighted).out)
        self.assertIn("data/classes", self.spur("inspect", sampled).out)

    def test_runs_of_one_second_do_not_meet(self):
        processes = [self.start("train", "a.ini", "train.epochs=1", "run.name=x") for _ in range(4)]
        for process in processes:
            process.communicate()
            self.assertEqual(process.returncode, 0)
        self.assertEqual(len(self.run_dirs()), 4)
        self.assertEqual({self.status(run)["state"] for run in self.run_dirs()}, {"done"})

    def test_a_given_directory(self):
        env = {"SPUR_RUN_DIR": "trial/one", "SPUR_HPARAMS": "optimizer.lr", "SPUR_HPARAMS_GROUP": "g"}
        self.spur("train", "a.ini", "train.epochs=1", env=env)
        self.assertTrue((self.dir / "trial/one/metrics.csv").exists())
        self.assertIn("holds a run already", self.spur("train", "a.ini", env=env, status=2).err)

    def test_weights_of_another_run(self):
        run = self.train("train.epochs=1")
        weights = run / "checkpoints/last/weights.safetensors"
        r = self.spur("train", "a.ini", "train.epochs=1", "data.classes=5", "model.weights=%s" % weights,
                      "model.freeze=conv1")
        self.assertIn("fc", r.out)
        self.assertIn("Model: my_net, 2,454,725 trainable parameters, ", r.out)

    def test_weights_that_a_run_began_with_may_go(self):
        """A run that has a checkpoint needs them no more; one without reads them again."""
        shutil.copy(self.train("train.epochs=1") / "checkpoints/last/weights.safetensors", self.dir / "w.safetensors")
        run = self.train("model.weights=w.safetensors", "train.epochs=1")
        begun = self.dir / "begun"
        shutil.copytree(run, begun, symlinks=True)
        shutil.rmtree(begun / "checkpoints")
        (self.dir / "w.safetensors").unlink()
        self.assertIn("accuracy", self.spur("eval", run).out)
        self.spur("resume", run, "train.epochs=2")
        self.assertIn("w.safetensors: cannot open", self.spur("resume", begun, "train.epochs=2", status=2).err)


class Resume(Run):
    def wait_for_step(self, process, step):
        """Waits until the run's event file shows that many steps."""
        deadline = time.time() + 120
        while time.time() < deadline:
            for run in self.run_dirs():
                found = list((run / "checkpoints").glob("step_*")) if (run / "checkpoints").exists() else []
                if any(int(p.name[5:]) >= step for p in found):
                    return run
            if process.poll() is not None:
                self.fail("ended early: %s" % process.stderr.read())
            time.sleep(0.005)
        self.fail("no step %d" % step)

    def interrupted(self, how, step, expected):
        process = self.start("train", "a.ini", "train.epochs=4")
        run = self.wait_for_step(process, step)
        process.send_signal(how)
        self.assertEqual(process.wait(), expected)
        process.stdout.close()
        process.stderr.close()
        return run

    def reference(self):
        return self.digest(self.train("train.epochs=4"))

    def test_signals_and_kills_leave_no_trace(self):
        whole = self.reference()
        for how, step, expected in ((signal.SIGINT, 4, 130), (signal.SIGTERM, 16, 130), (signal.SIGKILL, 4, -9),
                                    (signal.SIGKILL, 20, -9)):
            with self.subTest(signal=how, step=step):
                shutil.rmtree(self.dir / "my_logs")
                run = self.interrupted(how, step, expected)
                if how != signal.SIGKILL:
                    self.assertEqual(self.status(run)["state"], "interrupted")
                self.spur("resume", run)
                self.assertEqual(self.digest(run), whole)
                self.assertEqual(self.status(run)["state"], "done")

    def test_killed_before_the_first_checkpoint(self):
        whole = self.reference()
        shutil.rmtree(self.dir / "my_logs")
        process = self.start("train", "a.ini", "train.epochs=4")
        while not (self.run_dirs() and (self.run_dirs()[0] / "status.ini").exists()):
            time.sleep(0.002)
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()
        run = self.run_dirs()[0]
        self.spur("resume", run)
        self.assertEqual(self.digest(run), whole)

    def test_stopping_again_and_again(self):
        whole = self.reference()
        shutil.rmtree(self.dir / "my_logs")
        self.spur("train", "a.ini", "train.epochs=4", "--max-time", "0.05")
        run = self.run_dirs()[0]
        for _ in range(200):
            if self.status(run)["state"] == "done":
                break
            self.spur("resume", run, "train.max_time=0.15")
        self.assertEqual(self.digest(run), whole)

    # One step an epoch, and a validation of many batches: a signal comes while it is under way.
    LONG_VALIDATION = ("data.samples=16", "data.val_samples=1500", "data.batch_size=8", "train.checkpoint_every=1",
                       "train.epochs=2")

    def in_validation(self, *overrides):
        """A run that was stopped in the middle of its first epoch's validation."""
        for _ in range(20):
            process = self.start("train", "a.ini", *self.LONG_VALIDATION, *overrides)
            run = self.wait_for_step(process, 1)
            time.sleep(0.05)
            process.send_signal(signal.SIGTERM)
            process.communicate()
            self.assertEqual(process.returncode, 130)
            status = self.status(run)
            if status["step"] == "2" and status["epoch"] == "0":
                return run
            shutil.rmtree(run)  # it was still training
        self.fail("never stopped in a validation")

    def test_a_signal_in_the_validation_acts_there(self):
        for options in ((), ("train.ema=0.5",), ("train.max_steps=2",)):
            with self.subTest(options=options):
                shutil.rmtree(self.dir / "my_logs", ignore_errors=True)
                whole = self.digest(self.train(*self.LONG_VALIDATION, *options))
                shutil.rmtree(self.dir / "my_logs")
                run = self.in_validation(*options)
                self.assertEqual(len(self.rows(run / "metrics.csv")), 0)
                self.spur("resume", run)
                self.assertEqual(self.digest(run), whole)
                self.assertEqual(self.status(run)["state"], "done")

    def test_a_signal_in_the_last_look_acts_there(self):
        one_epoch = ("data.val_samples=2500", "train.epochs=1")
        whole = self.digest(self.train(*one_epoch))
        shutil.rmtree(self.dir / "my_logs")
        process = self.start("train", "a.ini", *one_epoch)
        run = self.wait_for_step(process, 10)
        process.send_signal(signal.SIGINT)  # the epoch is closed; what is left is the pass with the best weights
        process.communicate()
        self.assertEqual(process.returncode, 130)
        self.assertEqual(self.status(run)["state"], "interrupted")
        self.assertEqual(len(self.rows(run / "metrics.csv")), 1)
        self.assertIn("Stopped at step 10", (run / "stdout.log").read_text())
        self.spur("resume", run)
        self.assertEqual(self.digest(run), whole)

    @unittest.skipUnless(Path("/proc/self/environ").exists(), "no /proc")
    def test_waiting_threads_spin_briefly(self):
        """Unless the user says how they are to wait; the process stays the same one, and keeps its name."""
        for policy, spins in ((None, b"3000"), ("active", None)):
            environment = {k: v for k, v in os.environ.items() if k not in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")}
            if policy:
                environment["OMP_WAIT_POLICY"] = policy
            process = subprocess.Popen([SPUR, "train", "a.ini", "train.epochs=100"], cwd=self.dir, env=environment,
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            self.wait_for_step(process, 1)
            place = Path("/proc") / str(process.pid)
            variables = dict(v.split(b"=", 1) for v in (place / "environ").read_bytes().split(b"\0") if b"=" in v)
            self.assertEqual((place / "comm").read_text(), "spur\n")
            self.assertEqual(variables.get(b"GOMP_SPINCOUNT"), spins)
            process.send_signal(signal.SIGINT)
            process.communicate()
            self.assertEqual(process.returncode, 130)
            shutil.rmtree(self.dir / "my_logs")

    def test_killed_when_it_goes_on_after_a_stop_in_the_validation(self):
        """The step's checkpoint is written a second time then; one of the two is whole at any moment."""
        whole = self.digest(self.train(*self.LONG_VALIDATION))
        shutil.rmtree(self.dir / "my_logs")
        run = self.in_validation()
        for _ in range(3):
            process = self.start("resume", run)
            while process.poll() is None and len(self.rows(run / "metrics.csv")) == 0:
                time.sleep(0.001)
            process.kill()
            process.communicate()
        self.spur("resume", run)
        self.assertEqual(self.digest(run), whole)

    def test_a_second_signal_leaves_at_once(self):
        process = self.start("train", "a.ini", "train.epochs=50")
        run = self.wait_for_step(process, 4)
        process.send_signal(signal.SIGSTOP)  # both signals are there when it wakes up
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGCONT)
        process.communicate()
        self.assertEqual(process.returncode, 130)
        self.assertEqual(self.status(run)["state"], "running")  # nothing was written any more
        self.spur("resume", run, "train.epochs=3")

    def test_a_terminal_that_is_closed(self):
        process = self.start("train", "a.ini", "train.epochs=50")
        run = self.wait_for_step(process, 4)
        process.send_signal(signal.SIGHUP)
        process.stderr.readline()
        self.assertIn(b"finishing this step", process.stderr.readline())
        process.send_signal(signal.SIGHUP)  # shell and kernel both send one: it is no second wish
        process.communicate()
        self.assertEqual(process.returncode, 130)
        self.assertEqual(self.status(run)["state"], "interrupted")

    def test_stopped_by_its_last_step_and_a_signal(self):
        """max_steps is reached, but the signal came first: nothing is trained beyond it."""
        whole = self.digest(self.train("train.max_steps=15"))
        shutil.rmtree(self.dir / "my_logs")
        self.spur("train", "a.ini", "train.max_steps=15", "--max-time", "0.02")
        run = self.run_dirs()[0]
        for _ in range(200):
            if self.status(run)["state"] == "done":
                break
            self.spur("resume", run, "train.max_time=0.02")
        self.assertEqual(self.digest(run), whole)

    def test_what_cannot_be_resumed(self):
        run = self.train("train.epochs=1")
        self.assertIn("this run is done", self.spur("resume", run, status=2).err)
        self.assertIn("a directory without config.ini", self.spur("resume", self.dir, status=2).err)
        process = self.start("train", "a.ini", "train.epochs=50")
        while len(self.run_dirs()) < 2 or not (self.run_dirs()[-1] / "status.ini").exists():
            time.sleep(0.01)
        r = self.spur("resume", self.run_dirs()[-1], status=2)
        self.assertIn("another process is working in this run", r.err)
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()

    def test_another_architecture(self):
        run = self.train("train.epochs=1")
        text = (run / "config.ini").read_text().replace("classes = 8", "classes = 6")
        (run / "config.ini").write_text(text)
        r = self.spur("resume", run, "train.epochs=2", status=2)
        self.assertIn("8 classes then, 6 now", r.err)


class Amended(Run):
    """Overrides of a run that goes on: kept, or refused."""

    def state_of(self, run):
        return {name: (run / name).read_bytes() for name in self.tree(run) if name != "run.lock"}

    def refused(self, run, message, *overrides):
        before = self.state_of(run)
        r = self.spur("resume", run, *overrides, status=2)
        self.assertIn(message, r.err)
        self.assertEqual(self.state_of(run), before)

    def test_overrides_are_kept(self):
        run = self.train("optimizer.lr=0.002", "--max-time", "0.05", "train.epochs=4")
        self.assertEqual(self.status(run)["state"], "interrupted")
        self.spur("resume", run, "optimizer.lr=0.004", "train.max_time=0.05", "log.images=1")
        config = (run / "config.ini").read_text()
        self.assertIn("\nlr = 0.004\n", config)
        self.assertIn("\nimages = 1\n", config)
        kept = (run / "overrides.ini").read_text()
        self.assertIn("spur train a.ini optimizer.lr=0.002", kept)
        self.assertRegex(kept, r"spur resume \S+ optimizer.lr=0.004 train.max_time=0.05 log.images=1\n")
        self.assertRegex(kept, r"(?s)\[optimizer\]\nlr = 0.004\n.*\[train\]\n.*epochs = 4.*\[log\]\nimages = 1\n")
        self.assertNotIn("\nlr = 0.002", kept)
        self.spur("resume", run, "train.max_time=")
        self.assertEqual((run / "config.ini").read_text(), config.replace("max_time = 0.05", "max_time ="))
        self.assertEqual(self.rows(run / "metrics.csv")[-1]["epoch"], "4")
        shown = self.spur("show", run).out
        self.assertIn("0.004", shown)
        way = re.search(r"^Pictures: +spur (.*)$", shown, re.M)[1]
        self.assertIn("validation,images/worst,", self.spur(*way.split()).out)
        self.assertTrue(list((self.dir / "pictures/validation/images/worst").iterdir()))

    def test_what_contradicts_the_run_is_refused(self):
        run = self.train("--max-time", "0.05")
        for override, why in (("run.seed=4", "it was '3'"), ("data.size=16x16", "the run is about its data"),
                              ("model.classes=3", "unknown key"), ("model.name=mlp", "the checkpoint holds this network"),
                              ("train.metrics=accuracy", "they are the columns of metrics.csv"),
                              ("train.monitor=loss", "judged by it"), ("optimizer.name=adamw", "it was 'adam'"),
                              ("train.limit_batches=2", "which samples an epoch has"), ("run.name=x", "has its directory")):
            self.refused(run, why, override)
        self.refused(run, "train.metrics cannot become 'accuracy', it was 'auto': ", "train.metrics=accuracy")
        self.spur("resume", run, "run.seed=3", "train.max_time=")  # as it was: nothing is contradicted

    def test_a_run_that_is_done(self):
        run = self.train("train.epochs=2")
        self.refused(run, "optimizer.lr cannot become '0.1', it was '0.001': the run is done", "optimizer.lr=0.1")
        self.refused(run, "train.epochs cannot become '1', it was '2': 2 epochs are done", "train.epochs=1")
        self.refused(run, "this run is done", "train.epochs=2")
        typed = "my_logs/" + run.name  # a run is called as the user calls it, except where that is another one
        self.assertTrue(self.spur("resume", typed, status=2).err.startswith("spur resume: %s: this run is done\n" % typed))
        (self.dir / "elsewhere").mkdir()
        away = subprocess.run([SPUR, "resume", "../" + typed], cwd=self.dir / "elsewhere", capture_output=True, text=True)
        self.assertIn("/elsewhere/../%s: this run is done\n" % typed, away.stderr)
        self.spur("resume", run, "train.epochs=3", "optimizer.lr=0.0005")
        self.assertIn("\nepochs = 3\n", (run / "config.ini").read_text())
        self.assertEqual(len(self.rows(run / "metrics.csv")), 3)
        run = self.train("train.early_stopping=1", "optimizer.lr=0", "train.epochs=20")
        self.refused(run, "this run is done, and stays so: 2 epochs, 20 steps, stopped early", "train.epochs=30")
        self.spur("resume", run, "train.early_stopping=3")
        self.assertEqual(len(self.rows(run / "metrics.csv")), 4)

    def test_a_trial_of_a_sweep(self):
        self.write("s.ini", SMALL + "[sweep]\noptimizer.lr = 0.01\n")
        self.spur("sweep", "s.ini", "train.epochs=1")
        self.refused(self.dir / "my_logs/s/trial_0001", "the run is a trial", "train.epochs=2")

    def tables(self, classes):
        """Tables whose last column has so many classes, and a run on them that is stopped at once."""
        rows = "".join("%d,%d,%s\n" % (i % 9, i % 5, "abcd"[i % classes]) for i in range(60))
        for part in ("train", "val"):
            self.write("table/%s.csv" % part, "x,y,kind\n" + rows)
        self.write("t.ini", "[data]\nformat = csv\npath = table\ntarget = kind\ntask = classification\n"
                            "[model]\nname = mlp\n[train]\nepochs = 400\nmetrics = recall(class=3), accuracy\n"
                            "max_time = 0.05\n")

    def test_data_that_have_changed(self):
        self.tables(4)
        run = self.dir / "run"
        self.spur("train", "t.ini", env={"SPUR_RUN_DIR": str(run)})
        path = self.dir / "table/val.csv"
        whole = path.read_text()
        path.write_text("\n".join(whole.split("\n")[:41]) + "\n")
        self.refused(run, "the run began with: validation samples: 60 then, 40 now")
        path.write_text(whole)
        self.tables(3)
        self.refused(run, "4 classes then, 3 now; class 3: 'd' then, none now")
        self.tables(4)
        self.spur("resume", run)


class BadInput(Run):
    """Exit status 2, a message that names the place, nothing created."""

    def refused(self, text, message, *overrides):
        self.write("bad.ini", text)
        r = self.spur("train", "bad.ini", *overrides, status=2)
        self.assertIn(message, r.err)
        self.assertEqual(r.out, "")
        self.assertEqual(self.run_dirs(), [])

    def test_mistakes_in_the_file(self):
        self.refused("[trian]\n", "bad.ini:1:1: unknown section [trian]; did you mean [train]?")
        self.refused("[optimizer]\nlearning = 1\n", "bad.ini:2:1: unknown key 'learning' in [optimizer]")
        self.refused("[train]\nepoch = 1\n", "bad.ini:2:1: unknown key 'epoch' in [train]; did you mean 'epochs'?")
        self.refused("[model]\nname = unett\n", "bad.ini:2:8: unknown model 'unett'; did you mean 'unet'?")
        self.refused("lr = 1\n[optimizer]\n", "bad.ini:1:1: key 'lr' before any [section]")
        self.refused("[optimizer]\nlr = -1\n", "bad.ini:2:6: lr: found '-1', expected number in [0, inf)")
        self.refused("[run]\nseed = 1\nseed = 2\n", "bad.ini:3:1: duplicate key 'seed'")
        self.refused("[optimizer]\nname = sgd\nbetas = 0.9, 0.9\n", "'betas' is an option of adam, adamw")
        self.refused(SMALL, "command line: train.epochs=x", "train.epochs=x")
        self.refused(SMALL, "expected section.key=value", "epochs=3")
        self.refused(SMALL, "train.monitor=val_f2: no column 'val_f2'", "train.monitor=val_f2")
        self.refused("", "bad.ini: there is no [section] in it")
        self.refused("; nothing\n", "bad.ini: there is no [section] in it")
        self.refused(SMALL + "[loss]\nname = bce\n", "bad.ini:26:8: 'bce' is for two classes, the data have 8")
        self.refused("[optimizer]\nlr = inf\n", "bad.ini:2:6: lr: found 'inf', expected number in [0, inf)")
        self.refused(SMALL, "train.metrics=iou(class=8): iou: found class = 8, expected at most 7: the data have 8 classes",
                     "train.metrics=iou(class=8)")
        self.refused(SMALL, "'f1(average=micro, accuracy': expected ')'", "train.metrics=f1(average=micro, accuracy")
        self.refused(SMALL, "top_k: found k = 9, expected at most 8", "train.metrics=top_k(k=9)")
        self.refused(SMALL, "'unet' answers for each pixel", "model.name=unet")
        self.refused(SMALL, "'mse' compares numbers", "loss.name=mse")
        self.refused(SMALL, "no parameter begins with 'conv9'", "model.freeze=conv9")
        frozen = "command line: model.freeze=conv,fc: all parameters are frozen: there is nothing to train"
        self.refused(SMALL, frozen, "model.freeze=conv,fc")
        self.refused(SMALL, frozen, "model.freeze=conv,fc", "--dry-run")
        self.assertIn(frozen, self.spur("lr-find", "bad.ini", "model.freeze=conv,fc", status=2).err)
        self.assertIn("(0 trainable)", self.spur("summary", "bad.ini", "model.freeze=conv,fc").out)
        self.refused(SMALL, "head_lr would do nothing", "model.head_lr=10", "scheduler.name=one_cycle",
                     "scheduler.max_lr=0.1")
        self.refused(SMALL, "nowhere.safetensors", "model.weights=nowhere.safetensors")

    def test_data_that_are_not_there(self):
        folder = "[data]\nformat = image_folder\npath = empty\n[model]\nname = my_net\n"
        (self.dir / "empty").mkdir()
        self.refused(folder, "empty")
        self.refused(folder, "nowhere", "data.path=nowhere")

    def test_a_directory_that_cannot_be_written(self):
        self.write("file", "")
        self.refused(SMALL, "file", "run.logdir=file/logs")
        if os.geteuid() != 0:
            (self.dir / "closed").mkdir(mode=0o555)
            self.refused(SMALL, "closed", "run.logdir=closed/logs")


class Failing(Run):
    def test_nan_names_step_layer_and_cause(self):
        r = self.spur("train", "a.ini", "optimizer.name=sgd", "optimizer.lr=1e30", "scheduler.name=constant", status=1)
        self.assertIn("step 2", r.err)
        self.assertIn("learning rate", r.err)
        self.assertRegex(r.err, r"^spur train: epoch 1, step 2: .*layer .*'conv\d'")
        run = self.run_dirs()[0]
        self.assertEqual(self.status(run)["state"], "failed")
        self.assertEqual(self.status(run)["exit"], "1")

    def test_nan_keeps_the_last_good_checkpoint(self):
        run = self.train("train.epochs=1", "train.keep=1")
        before = self.spur("eval", run, "--weights", "last", "--json").json
        r = self.spur("resume", run, "train.epochs=3", "optimizer.name=adam", "optimizer.lr=1e30", status=1)
        self.assertIn("epoch 2, step 1", r.err)
        self.assertEqual(os.readlink(run / "checkpoints/last"), "step_10")
        self.assertEqual(self.spur("eval", run, "--weights", "last", "--json").json, before)
        self.spur("resume", run, "train.epochs=2", "optimizer.lr=0.001")

    def fill_disk(self, kilobytes, *overrides):
        """A file-size limit stands in for a full disk: writes beyond it fail. Then there is room again."""
        whole = self.digest(self.train(*overrides))
        shutil.rmtree(self.dir / "my_logs")
        script = "trap '' XFSZ; ulimit -f %d; exec \"$@\"" % kilobytes
        # TSan maps a temporary file of its own, which the limit would cut short; without a place for it there is none.
        full = self.run_program("bash", "-c", script, "bash", SPUR, "train", "a.ini", *overrides, status=1,
                                env={"TEST_TMPDIR": "/nonexistent"})
        self.assertIn("File too large", full.err)
        run = self.run_dirs()[0]
        self.assertEqual(self.status(run)["state"], "failed")
        self.spur("inspect", run)
        saved = (run / "checkpoints/last").exists()
        self.spur("resume", run)
        self.assertEqual(self.digest(run), whole)
        return saved

    def test_a_run_that_cannot_open_its_files(self):
        """Its status says that it has failed, not that it is running."""
        self.write("run/train", "a file where the run wants a directory")
        self.spur("train", "a.ini", status=1, env={"SPUR_RUN_DIR": "run"})
        status = self.status(self.dir / "run")
        self.assertEqual(status["state"], "failed")
        self.assertIn("run/train", status["message"])

    def test_a_disk_too_full_for_the_first_checkpoint(self):
        self.assertFalse(self.fill_disk(1200))  # my_net's weights are larger

    def test_a_disk_that_fills_up_after_a_checkpoint(self):
        """The first checkpoint comes before the first validation, whose pictures are what needs the room."""
        self.assertTrue(self.fill_disk(200, "model.name=mlp", "model.layers=1", "model.width=4"))


if __name__ == "__main__":
    main()
