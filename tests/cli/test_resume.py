# SPDX-License-Identifier: MIT
# cli needs: engine
"""spur resume: interruptions that leave no trace; overrides of a run that goes on."""
import os
import re
import shlex
import shutil
import signal
import subprocess
import time
import unittest
from pathlib import Path

from harness import SPUR, main
from runs import AT_ONCE, SMALL, Run

NEVER = "train.epochs=100000"  # a run that does not end before the signal comes


class Resume(Run):
    def wait_for_step(self, process, step):
        """Waits until the run has a checkpoint of that step or a later one; returns the run."""
        def found():
            return next((run for run in self.run_dirs() for p in run.glob("checkpoints/step_*")
                         if int(p.name[5:]) >= step), None)
        return self.wait_until(found, process)

    def stopped(self, how, step, *overrides, pause=0):
        """A run that a signal ended, which came that long after the checkpoint of the step; and the process' status. A run
        that was faster than the signal (0) is no such one: once more."""
        while True:
            process = self.start("train", "a.ini", *overrides)
            run = self.wait_for_step(process, step)
            time.sleep(pause)
            process.send_signal(how)
            process.communicate()
            if process.returncode != 0:
                return run, process.returncode
            shutil.rmtree(run)
            pause /= 2

    def reference(self):
        return self.digest(self.train("train.epochs=4"))

    def test_signals_and_kills_leave_no_trace(self):
        whole = self.reference()
        for how, step, expected in ((signal.SIGINT, 4, 130), (signal.SIGTERM, 16, 130), (signal.SIGKILL, 4, -9),
                                    (signal.SIGKILL, 20, -9)):
            with self.subTest(signal=how, step=step):
                shutil.rmtree(self.dir / "my_logs")
                run, status = self.stopped(how, step, "train.epochs=4")
                self.assertEqual(status, expected)
                if how != signal.SIGKILL:
                    self.assertEqual(self.status(run)["state"], "interrupted")
                self.spur("resume", run)
                self.assertEqual(self.digest(run), whole)
                self.assertEqual(self.status(run)["state"], "done")

    def test_killed_before_the_first_checkpoint(self):
        whole = self.reference()
        shutil.rmtree(self.dir / "my_logs")
        while True:
            process = self.start("train", "a.ini", "train.epochs=4")
            run = self.wait_until(lambda: next((p.parent for p in self.dir.glob("my_logs/*/status.ini")), None), process)
            process.kill()
            process.communicate()
            if not list(run.glob("checkpoints/*")):
                break
            shutil.rmtree(run)  # it came too late
        self.spur("resume", run)
        self.assertEqual(self.digest(run), whole)

    def test_stopping_after_every_step(self):
        options = "data.samples=80", "train.keep=9"
        run = self.train(*options)
        self.assertEqual({p.name for p in run.glob("checkpoints/step_*")}, {"step_%d" % i for i in (4, 5, 8, 10, 12, 15)})
        whole = self.digest(run)
        shutil.rmtree(self.dir / "my_logs")
        run = self.train(*options, "--max-time", AT_ONCE)
        for step in range(1, 16):
            self.assertEqual((self.status(run)["state"], self.status(run)["step"]), ("interrupted", str(step)))
            self.spur("resume", run)
        self.assertEqual(self.status(run)["state"], "done")
        self.assertEqual(self.digest(run), whole)

    def test_a_plateau_goes_on(self):
        """Every second epoch without an improvement halves the rate, whatever process saw them."""
        options = ("scheduler.name=plateau", "scheduler.patience=1", "scheduler.factor=0.5", "scheduler.threshold=0.9",
                   "train.monitor=val_loss", "data.samples=16", "train.checkpoint_every=0", "train.epochs=7")
        run = self.train(*options)
        whole = self.digest(run)
        self.assertEqual(len({row["learning_rate"] for row in self.rows(run / "metrics.csv")}), 3)
        shutil.rmtree(self.dir / "my_logs")
        run = self.train(*options, "--max-time", AT_ONCE)
        for _ in range(7):
            self.spur("resume", run)
        self.assertEqual(self.status(run)["state"], "done")
        self.assertEqual(self.digest(run), whole)

    # One step an epoch, and a validation of many batches: a signal comes while it is under way.
    LONG_VALIDATION = ("data.samples=16", "data.val_samples=1500", "data.batch_size=8", "train.checkpoint_every=1",
                       "train.epochs=2")

    def in_validation(self, *overrides):
        """A run that was stopped in the middle of its first epoch's validation."""
        pause = 0.05
        while True:
            run, status = self.stopped(signal.SIGTERM, 1, *self.LONG_VALIDATION, *overrides, pause=pause)
            self.assertEqual(status, 130)
            at = self.status(run)
            if (at["step"], at["epoch"]) == ("2", "0"):
                return run
            pause *= 1.5 if at["step"] == "1" else 0.5  # it was still training, or did so again
            shutil.rmtree(run)

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
        # at its last checkpoint the epoch is closed; what is left is the pass with the best weights
        run, status = self.stopped(signal.SIGINT, 10, *one_epoch)
        self.assertEqual(status, 130)
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
            process = subprocess.Popen([SPUR, "train", "a.ini", NEVER], cwd=self.dir, env=environment,
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
        run, kept = self.in_validation(), self.dir / "kept"
        run.rename(kept)
        for _ in range(3):
            status = None
            while status != -9:  # 0: it ended before the kill
                shutil.rmtree(run, ignore_errors=True)
                shutil.copytree(kept, run, symlinks=True)
                process = self.start("resume", run)
                while process.poll() is None and len(self.rows(run / "metrics.csv")) == 0:
                    time.sleep(0.001)
                process.kill()
                process.communicate()
                status = process.returncode
                self.assertIn(status, (-9, 0))
            self.spur("resume", run)
            self.assertEqual(self.digest(run), whole)

    def test_a_second_signal_leaves_at_once(self):
        process = self.start("train", "a.ini", NEVER)
        run = self.wait_for_step(process, 4)
        process.send_signal(signal.SIGSTOP)  # both signals are there when it wakes up
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGCONT)
        process.communicate()
        self.assertEqual(process.returncode, 130)
        self.assertEqual(self.status(run)["state"], "running")  # nothing was written any more
        self.spur("resume", run, "train.max_time=" + AT_ONCE)

    def test_a_terminal_that_is_closed(self):
        before = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # the program inherits this; under nohup it would go on
        self.addCleanup(signal.signal, signal.SIGHUP, before)
        process = self.start("train", "a.ini", NEVER)
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
        run = self.train("train.max_steps=15", "--max-time", AT_ONCE)
        for step in range(1, 16):
            self.assertEqual((self.status(run)["state"], self.status(run)["step"]), ("interrupted", str(step)))
            self.spur("resume", run)
        self.assertEqual(self.status(run)["state"], "done")
        self.assertEqual(self.digest(run), whole)

    def test_what_cannot_be_resumed(self):
        run = self.train("train.epochs=1")
        self.assertIn("this run is done", self.spur("resume", run, status=2).err)
        self.assertIn("a directory without config.ini", self.spur("resume", self.dir, status=2).err)
        process = self.start("train", "a.ini", NEVER)
        others = lambda: [p for p in self.run_dirs() if p != run and (p / "status.ini").exists()]
        r = self.spur("resume", self.wait_until(others, process)[0], status=2)
        self.assertIn("another process is working in this run", r.err)
        process.kill()
        process.communicate()

    def test_another_architecture(self):
        run = self.train("train.epochs=1")
        text = (run / "config.ini").read_text().replace("classes = 8", "classes = 6")
        (run / "config.ini").write_text(text)
        r = self.spur("resume", run, "train.epochs=2", status=2)
        self.assertIn("8 classes then, 6 now", r.err)


class Refusing(Run):
    def state_of(self, run):
        links = {p.name: os.readlink(p) for p in run.glob("checkpoints/*") if p.is_symlink()}
        return links, {name: (run / name).read_bytes() for name in self.tree(run) if name != "run.lock" and name not in
                       ("checkpoints/" + link for link in links)}

    def refused(self, run, message, *overrides):
        before = self.state_of(run)
        r = self.spur("resume", run, *overrides, status=2)
        self.assertIn(message, r.err)
        self.assertEqual(self.state_of(run), before)


class Lost(Refusing):
    """A user has removed, or copied without its links, what a run needs to go on."""
    MORE = "train.epochs=3"

    def setUp(self):
        super().setUp()
        self.original = self.train("optimizer.lr=0", "train.epochs=2", "train.monitor=val_loss")

    def copy_of_run(self):
        run = self.dir / "run"
        shutil.rmtree(run, ignore_errors=True)
        shutil.copytree(self.original, run, symlinks=True)
        self.assertEqual([os.readlink(run / "checkpoints" / name) for name in ("last", "best")], ["step_20", "step_10"])
        return run, run / "checkpoints"

    def test_the_last_checkpoint(self):
        for why, message, lose in (
                ("its folder", "last: leads to step_20, which is not there: put it back, or begin anew: ",
                 lambda at: shutil.rmtree(at / "step_20")),
                ("the link", "last: not there, but epoch 2, step 20 was saved: put it back, or ", lambda at: (at / "last").unlink()),
                ("all of them", "last: not there, but epoch 2, step 20 was saved: put it back, or ", shutil.rmtree)):
            with self.subTest(lost=why):
                run, at = self.copy_of_run()
                lose(at)
                self.refused(run, "%s/checkpoints/%s" % (run, message), self.MORE)
                self.assertIn("begin anew: spur train %s/config.ini\n" % run, self.spur("resume", run, self.MORE, status=2).err)
        (self.dir / "it's here").mkdir()
        run = run.rename(self.dir / "it's here/run")
        way = re.search("begin anew: (spur train .*)", self.spur("resume", run, self.MORE, status=2).err)[1]
        self.spur(*shlex.split(way)[1:], "train.epochs=1")

    def test_a_link_that_is_none(self):
        """As copies are that follow links, and archives that do not know them."""
        for name, message in (("last", "last: found no link, expected one to a step_N beside it: put one in its place, or begin"),
                              ("best", "best: found no link, expected one to a step_N beside it: remove it (")):
            for is_file in (False, True):
                with self.subTest(link=name, is_file=is_file):
                    run, at = self.copy_of_run()
                    step = os.readlink(at / name)
                    (at / name).unlink()
                    (at / name).write_text(step) if is_file else shutil.copytree(at / step, at / name)
                    self.refused(run, "%s/checkpoints/%s" % (run, message), self.MORE)
                    (at / name).unlink() if is_file else shutil.rmtree(at / name)
                    if name == "last":
                        (at / name).symlink_to(step)
                    self.spur("resume", run, self.MORE)
                    self.assertEqual([os.readlink(at / name) for name in ("last", "best")], ["step_30", "step_10"])

    def test_a_damaged_one(self):
        run, at = self.copy_of_run()
        for name in ("weights.safetensors", "optimizer.safetensors", "state"):
            whole = (at / "last" / name).read_bytes()
            (at / "last" / name).write_bytes(whole[:-1])
            self.refused(run, "%s/checkpoints/last/%s: " % (run, name), self.MORE)
            (at / "last" / name).write_bytes(whole)
        self.spur("resume", run, self.MORE)

    def test_the_best_checkpoint(self):
        """It is needed at the end, unless the last weights are wanted then."""
        for lose in (lambda step: shutil.rmtree(step), lambda step: (step / "weights.safetensors").write_text("{}")):
            run, at = self.copy_of_run()
            lose(at / "step_10")
            self.refused(run, "/checkpoints/step_10", self.MORE)
            self.refused(run, ": these are the best weights so far: put them back, or go on with train.restore_best=false\n", self.MORE)
            self.spur("resume", run, self.MORE, "train.restore_best=false")
            self.assertEqual((self.status(run)["state"], os.readlink(at / "last")), ("done", "step_30"))

    def test_a_trial(self):
        """The sweep goes on with others, and begins it anew when it is removed."""
        self.write("s.ini", SMALL + "[sweep]\noptimizer.lr = 0.01, 0.02\n")
        self.spur("sweep", "s.ini", "train.epochs=2")
        run = self.dir / "my_logs/s/trial_0001"
        (run / "status.ini").write_text((run / "status.ini").read_text().replace("= done", "= interrupted"))
        shutil.rmtree(run / "checkpoints" / os.readlink(run / "checkpoints/last"))
        self.refused(run, "put it back, or begin anew: spur rm %s and the sweep once more\n" % run)
        r = self.spur("sweep", "s.ini", "train.epochs=2", status=1)
        self.assertIn("which is not there: put it back", r.out + r.err)
        self.spur("rm", run)
        self.spur("sweep", "s.ini", "train.epochs=2")
        self.assertEqual(self.status(run)["state"], "done")


class Amended(Refusing):
    """Overrides of a run that goes on: kept, or refused."""

    def test_overrides_are_kept(self):
        run = self.train("optimizer.lr=0.002", "--max-time", AT_ONCE, "train.epochs=4")
        self.assertEqual(self.status(run)["state"], "interrupted")
        self.spur("resume", run, "optimizer.lr=0.004", "train.max_time=" + AT_ONCE, "log.images=1")
        config = (run / "config.ini").read_text()
        self.assertIn("\nlr = 0.004\n", config)
        self.assertIn("\nimages = 1\n", config)
        kept = (run / "overrides.ini").read_text()
        self.assertIn("spur train a.ini optimizer.lr=0.002", kept)
        self.assertRegex(kept, r"spur resume \S+ optimizer.lr=0.004 train.max_time=1e-9 log.images=1\n")
        self.assertRegex(kept, r"(?s)\[optimizer\]\nlr = 0.004\n.*\[train\]\n.*epochs = 4.*\[log\]\nimages = 1\n")
        self.assertNotIn("\nlr = 0.002", kept)
        self.spur("resume", run, "train.max_time=")
        self.assertEqual((run / "config.ini").read_text(), config.replace("max_time = " + AT_ONCE, "max_time ="))
        self.assertEqual(self.rows(run / "metrics.csv")[-1]["epoch"], "4")
        shown = self.spur("show", run).out
        self.assertIn("0.004", shown)
        way = re.search(r"^Pictures: +spur (.*)$", shown, re.M)[1]
        self.assertIn("validation,images/worst,", self.spur(*way.split()).out)
        self.assertTrue(list((self.dir / "pictures/validation/images/worst").iterdir()))

    def test_what_contradicts_the_run_is_refused(self):
        run = self.train("--max-time", AT_ONCE)
        for override, why in (("run.seed=4", "it was '3'"), ("data.size=16x16", "the run is about its data"),
                              ("model.classes=3", "unknown key"), ("model.name=mlp", "the checkpoint holds this network"),
                              ("train.metrics=accuracy", "they are the columns of metrics.csv"),
                              ("train.monitor=loss", "judged by it"), ("optimizer.name=adamw", "it was 'adam'"),
                              ("train.limit_batches=2", "which samples an epoch has"), ("run.name=x", "has its directory")):
            self.refused(run, why, override)
        # kinds that share no option, too
        self.refused(run, "optimizer.name cannot become 'sgd', it was 'adam'", "optimizer.name=sgd")
        self.refused(run, "model.name cannot become 'unet'", "model.name=unet", "train.epochs=20")
        self.refused(run, "train.metrics cannot become 'accuracy', it was 'auto': ", "train.metrics=accuracy")
        self.spur("resume", run, "run.seed=3", "train.max_time=")  # as it was: nothing is contradicted

    def test_a_run_that_is_done(self):
        run = self.train("train.epochs=2")
        self.refused(run, "optimizer.lr cannot become '0.1', it was '0.001': the run is done", "optimizer.lr=0.1")
        self.refused(run, "train.epochs cannot become '1', it was '2': 2 epochs are done", "train.epochs=1")
        self.refused(run, "this run is done", "train.epochs=2")
        typed = "my_logs/" + run.name  # a run is called as the user calls it, except where that is another one
        self.assertTrue(self.spur("resume", typed, status=2).err.startswith("spur resume: %s: this run is done; a larger train.epochs continues it\n" % typed))
        (self.dir / "elsewhere").mkdir()
        away = subprocess.run([SPUR, "resume", "../" + typed], cwd=self.dir / "elsewhere", capture_output=True, text=True)
        self.assertIn("/elsewhere/../%s: this run is done; " % typed, away.stderr)
        self.spur("resume", run, "train.epochs=3", "optimizer.lr=0.0005")
        self.assertIn("\nepochs = 3\n", (run / "config.ini").read_text())
        self.assertEqual(len(self.rows(run / "metrics.csv")), 3)
        run = self.train("train.early_stopping=1", "optimizer.lr=0", "train.epochs=20")
        self.refused(run, "this run is done, and stays so: 2 epochs, 20 steps, stopped early", "train.epochs=30")
        self.spur("resume", run, "train.early_stopping=3")
        self.assertEqual(len(self.rows(run / "metrics.csv")), 4)

    def test_a_limit_where_the_run_stands(self):
        run = self.train("train.max_time=" + AT_ONCE)
        self.spur("resume", run)  # one more step
        step = self.status(run)["step"]
        self.refused(run, "%s steps are done" % step, "train.max_steps=1")
        self.spur("resume", run, "train.max_time=", "train.max_steps=" + step)
        self.assertEqual((self.status(run)["state"], self.status(run)["step"]), ("done", step))

    def test_checkpoints_of_a_run_whose_limit_was_moved(self):
        """They are at the ends of its epochs, wherever these come then; those of interruptions go, `best` stays."""
        limits = ("data.samples=80", "train.checkpoint_every=0", "train.keep=9")
        steps = lambda run: {int(p.name[5:]) for p in run.glob("checkpoints/step_*")}
        run = self.train("train.max_steps=7", "train.epochs=5", "optimizer.lr=0", *limits)
        self.assertEqual(steps(run), {5, 7})
        for _ in range(2):
            self.spur("resume", run, "train.max_steps=0", "train.max_time=" + AT_ONCE)
        self.assertEqual(steps(run), {5, 7, 9})
        (run / "checkpoints/mine").symlink_to(run / "checkpoints/step_9")  # which a user wants to keep
        (run / "checkpoints/step_8").mkdir()  # as a process leaves it that was killed while it removed the checkpoint
        (run / "checkpoints/step_8/weights.safetensors").write_text("not all of it")
        self.spur("resume", run, "train.max_time=")
        self.assertEqual(steps(run), {5, 7, 9, 12, 17, 22})
        # the epoch that the limit ended is the best one, and no later one is better by so much
        run = self.train("train.max_steps=7", "train.epochs=4", "train.monitor=loss", *limits[:2], "train.keep=0")
        self.assertEqual(os.readlink(run / "checkpoints/best"), "step_7")
        self.spur("resume", run, "train.max_steps=0", "train.min_delta=100")
        self.assertEqual(steps(run), {7, 17})

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
                            "max_time = %s\n" % AT_ONCE)

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
        path = self.dir / "table/train.csv"
        whole = path.read_text()
        path.write_text(whole.replace("0,0,a", "9000,0,a", 1))
        self.refused(run, "the run began with: mean of channel 0: ")
        path.write_text(whole)
        self.spur("resume", run)


if __name__ == "__main__":
    main()
