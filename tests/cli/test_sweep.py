# SPDX-License-Identifier: MIT
# cli needs: engine
"""spur sweep on programs: what is run, what is kept, and that nothing is lost or doubled by kills."""
import csv
import fcntl
import json
import os
import pty
import random
import re
import shlex
import shutil
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

from harness import SOURCE, SPUR, main
from sweeps import PROGRAM, SweepCli

FULL = os.environ.get("SPUR_TEST_FULL") == "1"


class Sweep(SweepCli):
    def test_grid(self):
        r = self.spur("sweep", self.ini())
        rows = self.results()
        self.assertEqual([(x["param.lr"], x["seed"], x["state"]) for x in rows],
                         [(lr, s, "done") for lr in ("1e-1", "1e-2", "1e-3") for s in "12"])
        self.assertAlmostEqual(float(rows[2]["best"]), 1 / 3 + 0.001, places=5)
        self.assertIn("Best val_loss: lr=1e-2", r.out)
        self.assertEqual(sorted(self.ends()), sorted(x["trial"] for x in rows))

    def test_done_sweep_runs_nothing_again(self):
        self.spur("sweep", self.ini())
        before = (self.dir / "logs/s/results.csv").read_bytes()
        r = self.spur("sweep", "s.ini")
        self.assertIn("Continuing logs/s: 6 trials done\n", r.out)
        self.assertNotIn("trial_0001", r.out)
        self.assertEqual(len(self.ends()), 6)
        self.assertEqual((self.dir / "logs/s/results.csv").read_bytes(), before)

    def test_failing_trial_does_not_stop_the_others(self):
        r = self.spur("sweep", self.ini(lr="10, 1e-2"), status=1)
        self.assertEqual([x["state"] for x in self.results()], ["failed", "failed", "done", "done"])
        self.assertIn("exit status 1", r.err)
        self.assertIn("2 of 4 trials failed; with sweep.on_failure=retry:1 the same command runs them again", r.err)
        r = self.spur("sweep", "s.ini", "sweep.on_failure=retry:1", status=1)
        self.assertEqual(len(self.ends()), 6)
        self.assertIn("Continuing logs/s: 2 trials done\n", r.out)
        self.assertIn("retry:2", r.err)
        self.assertIn("the rate is too large", (self.dir / "logs/s/trial_0001_seed_1/output.log").read_text())

    def test_why_a_program_failed(self):
        """Its last words and where all of them are; and a number that is none is no result."""
        r = self.spur("sweep", self.ini(lr="10, 1e-2", seeds="1"), status=1)
        self.assertIn("exit status 1 (logs/s/trial_0001_seed_1/output.log): the rate is too large", r.err)
        r = self.spur("sweep", self.ini(name="t", lr="1", seeds="1"), "program.command=nowhere {lr}", status=1)
        self.assertRegex(r.err, r"exit status 127 \(logs/t/trial_0001_seed_1/output.log\): .*nowhere.*not found")
        (self.dir / "program.py").write_text(PROGRAM.replace("event(e, abs", "event(e, math.nan * abs"))
        r = self.spur("sweep", self.ini(name="n", lr="1e-2", seeds="1"), status=1)
        self.assertIn("failed: diverged: 'val_loss' was never a finite number", r.err)
        self.assertEqual(self.results("n")[0]["state"], "failed")

    def test_on_failure_stop(self):
        r = self.spur("sweep", self.ini(lr="10, 1e-2", more="on_failure = stop"), status=1)
        self.assertIn("on_failure = stop", r.err)
        self.assertEqual([x["state"] for x in self.results()], ["failed", "queued"])

    def test_retry(self):
        self.spur("sweep", self.ini(lr="10", seeds="1", more="on_failure = retry:2"), status=1)
        self.assertEqual(len(self.ends()), 3)

    def test_changed_space_is_refused(self):
        self.spur("sweep", self.ini())
        r = self.spur("sweep", self.ini(lr="1e-1, 1e-2, 1e-4"), status=2)
        self.assertIn("param.lr = 1e-1 | 1e-2 | 1e-4", r.err)
        r = self.spur("sweep", "s.ini", "--accept-changes")
        self.assertEqual([x["param.lr"] for x in self.results()][::2], ["1e-1", "1e-2", "1e-3", "1e-4"])
        self.assertEqual(len(self.ends()), 8)
        self.assertEqual(r.err, "")
        self.assertNotIn("of one experiment", r.out)

    def test_options_that_are_not_in_use_may_change(self):
        """Those of other methods and pruners; an earlier version wrote the ones that it knew into the fingerprint."""
        print_of = lambda: (self.dir / "logs/s/fingerprint.txt").read_text()
        self.spur("sweep", self.ini(more="pruner = asha"))
        fresh = print_of()
        self.assertIn("sweep.asha_reduction_factor = 4\n", fresh)
        for other in ("tpe_", "median_", "hyperband_"):
            self.assertNotIn("sweep." + other, fresh)
        self.spur("sweep", self.ini(more="pruner = asha\nmedian_startup_trials = 7\ntpe_candidates = 3"))
        self.assertEqual(print_of(), fresh)
        old = fresh.replace("sweep.asha_min_resource", "sweep.tpe_candidates = 24\nsweep.median_no_more = 5\n"
                            "sweep.asha_min_resource").replace("param.lr", "sweep.hyperband_max_resource = 27\nparam.lr", 1)
        self.assertEqual(len(old.splitlines()), len(fresh.splitlines()) + 3)
        (self.dir / "logs/s/fingerprint.txt").write_text(old)
        self.spur("sweep", "s.ini")
        self.assertEqual((print_of(), len(self.ends())), (fresh, 6))

        (self.dir / "logs/s/fingerprint.txt").write_text(old)
        for changed, then, now in (("asha_reduction_factor=3", "sweep.asha_reduction_factor = 4", "sweep.asha_reduction_factor = 3"),
                                   ("pruner=median", "sweep.pruner = asha", "sweep.pruner = median"),
                                   ("method=random", "sweep.method = grid", "sweep.method = random")):
            r = self.spur("sweep", "s.ini", "sweep." + changed, "sweep.trials=3", status=2)
            self.assertIn("it has '%s', this one has '%s' (" % (then, now), r.err)
        self.assertEqual(print_of(), old)

    def test_accepted_changes_are_told(self):
        """What is done keeps its options: a table of both says so, then and ever after."""
        self.spur("sweep", self.ini())
        self.ini(lr="1e-1, 1e-2, 1e-3, 1e-4")
        r = self.spur("sweep", "s.ini", "program.direction=max", "--accept-changes")
        self.assertIn("changed: program.direction = min -> max; trials that began before keep what they had", r.err)
        self.assertIn("are not of one experiment", r.out)
        self.assertIn("are not of one experiment", self.spur("compare", "logs/s").out)
        self.assertIn("program.direction = min -> max", (self.dir / "logs/s/changes.txt").read_text())
        for more, says in (("param.epochs = 2, 3", "'param.epochs' is varied now"), ("", "'param.pause' is not varied")):
            if not more:
                self.spur("sweep", self.ini(name="t", more="param.pause = 0"))
            r = self.spur("sweep", self.ini(name="s" if more else "t", more=more), "--accept-changes", status=2)
            self.assertIn(says, r.err)

    def test_overridden_is_not_varied(self):
        """A value on the command line takes the place of the sweep's: in every file and report, too."""
        self.spur("sweep", self.ini(more="param.pause = 0, 1"), "param.pause=0")
        self.assertNotIn("param.pause", self.results()[0])
        self.assertNotIn("pause", self.spur("compare", "logs/s").out)
        self.assertEqual(self.spur("sweep", "logs/s/sweep.ini").err, "")
        self.assertEqual(len(self.ends()), 6)

    def test_pruned_program(self):
        more = "pruner = asha\nasha_reduction_factor = 2\nmethod = grid"
        self.write("program.py", PROGRAM.replace("time.sleep(pause)", "time.sleep(1e6 if lr == 0.1 else 0)"))
        self.spur("sweep", self.ini(lr="1e-2, 1e-1", seeds="1", more=more))
        self.assertEqual([x["state"] for x in self.results()], ["done", "pruned"])
        self.assertEqual(self.results()[1]["epochs"], "1")

    def test_a_place_where_nothing_can_be_made(self):
        """As for spur train: wrong input, and nothing is there afterwards."""
        (self.dir / "file").write_text("")
        before = self.tree()
        r = self.spur("sweep", self.ini(), "run.logdir=file/logs", status=2)
        self.assertEqual(r.err, "spur sweep: file/logs: cannot create directory: Not a directory\n")
        self.assertEqual(self.tree(), sorted(before + ["s.ini"]))

    def test_a_run_outside_of_the_trial(self):
        for run in "..", "../other", "a/../../b", "/tmp":
            r = self.spur("sweep", self.ini(), "program.run=" + run, status=2)
            self.assertIn("run: found '%s', expected a sub-run of the trial, such as validation" % run, r.err)
            self.assertFalse((self.dir / "logs").exists())
        self.spur("sweep", self.ini(), "program.run=a..b", "--dry-run")

    def test_random_needs_trials(self):
        r = self.spur("sweep", self.ini(more="method = random"), status=2)
        self.assertIn("trials", r.err)
        self.refused_at("method", r)
        self.assertFalse((self.dir / "logs").exists())

    def test_bad_spaces(self):
        for lr, says in (("uniform(0, 1)", "random or tpe"), ("range(3)", "range(first, last"), ("1, 1", "twice"),
                         ("1 if model.nmae == x", "model.nmae")):
            r = self.spur("sweep", self.ini(lr=lr), status=2)
            self.assertIn(says, r.err)
            self.refused_at("param.lr", r)
            self.assertFalse((self.dir / "logs").exists())
        for line, says in (("method = gird", "did you mean 'grid'"), ("pruner = medain", "did you mean 'median'"),
                           ("asha_reduction_factor = 1", "expected"), ("on_failure = give up", "retry:n"),
                           ("param.pause = 0, 1 if param.lr == 7", "can never hold"),
                           ("pause = 0, 1", "unknown option 'pause'; to vary it, write param.pause")):
            r = self.spur("sweep", self.ini(more=line), status=2)
            self.assertIn(says, r.err)
            self.refused_at(line.split(" =")[0], r)
        self.ini(more="method = tpe")
        self.assertIn("command line: sweep.trials=x: ", self.spur("sweep", "s.ini", "sweep.trials=x", status=2).err)
        r = self.spur("sweep", self.ini(), "program.command=", status=2)
        self.assertIn("command line: program.command=: [program] has no `command`", r.err)
        r = self.spur("sweep", self.ini(more="jbos = 2"), status=2)
        self.assertIn("did you mean 'jobs'", r.err)
        r = self.spur("sweep", self.ini(more="optimizer.rl = 1, 2"), status=2)
        self.assertIn("s.ini:", r.err)
        r = self.spur("sweep", self.ini(more="optimizer.lr = 1, 2"), status=2)
        self.assertIn("what is varied are its [param]s", r.err)
        r = self.spur("sweep", self.ini(), "program.command=true {lr} {sed}", status=2)
        self.assertIn("{sed} is neither in [param] nor varied", r.err)
        self.assertFalse((self.dir / "logs").exists())

    def test_options_exist_where_their_kind_has_them(self):
        def dry_run(sweep, status=0):
            self.write("kinds.ini", "[data]\nformat = shapes\n[model]\nname = mlp\n[optimizer]\nname = adam\n[sweep]\n"
                       + sweep)
            return self.spur("sweep", "kinds.ini", "--dry-run", status=status)

        r = dry_run("optimizer.name = adam, sgd, adamw\noptimizer.momentum = 0, 0.9\n")
        self.assertEqual([line.split(None, 1)[1] for line in r.out.splitlines()[:-1]],
                         ["optimizer=adam", "optimizer=sgd momentum=0", "optimizer=sgd momentum=0.9", "optimizer=adamw"])
        r = dry_run("method = tpe\ntrials = 8\noptimizer.name = adam, sgd\noptimizer.momentum = uniform(0, 1)\n")
        self.assertEqual(r.out.count("optimizer=adam\n"), 1)
        self.assertEqual(r.out.count("momentum"), r.out.count("optimizer=sgd"))
        r = dry_run("optimizer.momentum = 0, 0.9\n", status=2)
        self.assertIn("kinds.ini:8:1: optimizer.name = adam has no option 'momentum'", r.err)
        r = dry_run("optimizer.name = adam, adamw\noptimizer.momentum = 0, 0.9\n", status=2)
        self.assertIn("has no option 'momentum'", r.err)
        self.assertIn("[sweep] cannot be varied", dry_run("sweep.jobs = 1, 2\n", status=2).err)

    def test_max_time(self):
        ini = self.ini(seeds="1", more="max_time = 1s")
        r = self.spur("sweep", ini, "param.epochs=15", "param.pause=0.1")
        self.assertIn("max_time is over", r.err)
        self.assertIn("the same command continues", r.err)
        self.assertLess([x["state"] for x in self.results()].count("done"), 3)
        r = self.spur("sweep", ini, "param.epochs=15", "param.pause=0.1", "sweep.max_time=1h")
        self.assertEqual([x["state"] for x in self.results()], ["done"] * 3)
        self.assertEqual(r.err, "")

    def test_max_time_of_a_trial(self):
        """It counts with what it has reached; one that has reached nothing has failed."""
        self.write("t.ini", "[data]\nformat = shapes\nsize = 8x8\nsamples = 32\nval_samples = 16\n[model]\nname = mlp\n"
                            "[train]\nepochs = 1000000\nmax_time = 1d\n[log]\nimages = 0\nhistograms_every = 0\n"
                            "[run]\nlogdir = logs\nname = s\n[sweep]\noptimizer.lr = 1e-2\n")
        process, trial = self.start("sweep", "t.ini"), self.dir / "logs/s/trial_0001"
        self.wait_until(lambda: any(p.read_text().count("\n") > 1 for p in trial.glob("metrics.csv")), process)
        process.send_signal(signal.SIGINT)  # an epoch has ended; what is left of the day is taken away
        process.communicate()
        self.write(trial / "config.ini", (trial / "config.ini").read_text().replace("max_time = 1d", "max_time = 1e-9"))
        self.spur("sweep", "t.ini")
        results = self.results()
        self.assertEqual([x["state"] for x in results], ["done"])
        self.assertNotIn("", [x["best"] for x in results])
        self.assertIn("message = train.max_time is over", (trial / "status.ini").read_text())
        r = self.spur("sweep", "t.ini")  # nothing is left to do
        self.assertEqual(self.results(), results)
        r = self.spur("sweep", "t.ini", "run.name=short", "train.max_time=1e-9", status=1)
        self.assertRegex(r.err, r"failed: train.max_time was over after step \d, before the first epoch had ended")

    def test_interrupt_and_continue(self):
        ini = self.ini(seeds="1")
        p = self.start("sweep", ini, "param.pause=1000")
        self.wait_until(lambda: list(self.dir.glob("logs/s/trial_0001*/events*")), p)
        p.send_signal(signal.SIGINT)
        p.communicate()
        self.assertEqual(p.returncode, 130)
        self.assertNotIn("done", [x["state"] for x in self.results()])
        self.spur("sweep", ini, "param.pause=0")
        self.assertEqual([x["state"] for x in self.results()], ["done"] * 3)

    def interrupt_adopted(self, ini, *words):
        """A worker that is killed, another that adopts its trial, Ctrl-C for that one; the trial's state then."""
        for how, status in ((signal.SIGKILL, -9), (signal.SIGINT, 130)):
            process = self.start("sweep", ini, *words)
            self.wait_until(lambda: any('"adopt"' in p.read_text() if how == signal.SIGINT else p.exists() for p in
                            self.dir.glob("logs/s/journal/*" if how == signal.SIGINT else "logs/s/trial_0001*/events*")),
                            process)
            process.send_signal(how)
            process.communicate()
            self.assertEqual(process.returncode, status)
        return self.spur("list", "logs/s", "--csv").rows[0]["state"]

    def test_interrupt_of_adopted_trials(self):
        """They are asked to leave, too, and not waited for until they end by themselves."""
        ini = self.ini(lr="1e-2", seeds="1")
        self.assertEqual(self.interrupt_adopted(ini, "param.pause=1000"), "queued")
        shutil.rmtree(self.dir / "logs")
        (self.dir / "s.ini").write_text("[run]\nname = s\nlogdir = logs\n[data]\nformat = shapes\nsize = 16x16\n"
                                        "samples = 32\n[model]\nname = mlp\n[train]\nepochs = 1000000\n[sweep]\noptimizer.lr = 1e-3\n")
        self.assertEqual(self.interrupt_adopted("s.ini"), "interrupted")

    def test_json_of_an_odd_tag(self):
        program = self.dir / "program.py"
        tag = 'va"_' + 13 * "long_" + "loss"
        in_bytes = "x%02x%s" % (len(tag), tag.replace('"', '\\"'))
        program.write_text(program.read_text().replace("x08val_loss", in_bytes))
        ini = self.ini(lr="1e-2", seeds="1")
        (self.dir / ini).write_text((self.dir / ini).read_text().replace("[param]", f"objective = {tag}\n[param]"))
        self.assertIn(tag, self.spur("sweep", ini, "--json").json_lines[0])
        self.assertIn(f"\n{tag} (smaller is better)", "\n" + self.spur("compare", "logs/s").out)

    def kill_trial(self, trial):
        """kill -9 for the processes of a trial, known by their environment."""
        wanted = b"SPUR_RUN_DIR=" + bytes(trial.resolve())
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if wanted in (process / "environ").read_bytes().split(b"\0"):
                    os.kill(int(process.name), signal.SIGKILL)
            except OSError:
                pass  # gone already, or not ours to look at

    def test_kills(self):
        """kill -9 at random moments: every trial exactly once, the same results."""
        kills = 50 if FULL else 10
        trials = {"lr": "range(0.001, 0.01, 0.001)", "seeds": "1..%d" % (kills // 2), "more": "jobs = 2"}
        self.spur("sweep", self.ini("whole", **trials))
        ini = self.ini("killed", **trials)
        dice = random.Random(1)
        for _ in range(kills):
            p = subprocess.Popen([SPUR, "sweep", ini], cwd=self.dir, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL)
            then = len(self.ends("killed")) + dice.randrange(4)
            self.wait_until(lambda: len(self.ends("killed")) >= then or p.poll() is not None, p)
            time.sleep(dice.uniform(0, 0.05))
            p.kill()
            p.wait()
            for trial in list(self.dir.glob("logs/killed/trial_*"))[-1:]:  # a trial dies as well
                if dice.random() < 0.5:
                    self.kill_trial(trial)
        self.spur("sweep", ini)
        whole, killed = ((self.dir / "logs" / n / "results.csv").read_bytes() for n in ("whole", "killed"))
        self.assertEqual(whole, killed)
        ends = self.ends("killed")
        self.assertEqual(len(ends), len(set(ends)))

    def test_two_workers_share_the_trials(self):
        ini = self.ini(lr="range(0.001, 0.01, 0.001)", seeds="1..4")
        workers = [subprocess.Popen([SPUR, "sweep", ini] + more, cwd=self.dir, stdout=subprocess.DEVNULL)
                   for more in ([], ["--worker"], ["--worker"])]
        self.assertEqual([w.wait() for w in workers], [0, 0, 0])
        ends = self.ends()
        self.assertEqual(len(ends), 40)
        self.assertEqual(len(set(ends)), 40)

    def launched(self, script, name, ranks):
        """Several processes of a cluster's script at once; the output of each."""
        env = dict(os.environ, PATH=f"{Path(SPUR).parent}:{os.environ['PATH']}")
        ini = self.ini(name, lr="range(0.001, 0.01, 0.001)", seeds="1..2")
        processes = [subprocess.Popen(["bash", SOURCE / "examples/cluster" / script, ini], cwd=self.dir, text=True,
                                      env={**env, **rank}, stdout=subprocess.PIPE) for rank in ranks]
        outputs = [p.communicate()[0] for p in processes]
        self.assertEqual([p.returncode for p in processes], [0] * len(ranks))
        ends = self.ends(name)
        self.assertEqual((len(ends), len(set(ends))), (20, 20))
        workers = list((self.dir / "logs" / name / "journal").glob("*.jsonl"))
        self.assertEqual(len(workers), len(ranks))
        return outputs

    def test_launched_by_mpirun(self):
        outputs = self.launched("mpi.sh", "mpi", [{"OMPI_COMM_WORLD_RANK": str(i)} for i in range(3)])
        self.assertEqual(["Best val_loss: lr=0.01" in text for text in outputs], [True, False, False])
        self.assertEqual({x["state"] for x in self.results("mpi")}, {"done"})

    def test_launched_by_slurm(self):
        tasks = [{"SLURM_ARRAY_TASK_ID": str(i), "SLURM_CPUS_PER_TASK": "1"} for i in (1, 2)]
        self.assertEqual(self.launched("slurm.sh", "slurm", tasks), ["", ""])
        self.assertEqual([x["state"] for x in self.results("slurm")], ["done"] * 20)  # without anybody's report
        self.assertTrue((self.dir / "logs/slurm/groups").is_dir())
        self.assertIn("Best val_loss: lr=0.01", self.spur("sweep", "slurm.ini").out)  # the report, nothing new is run
        self.assertEqual(len(self.ends("slurm")), 20)

    def test_time_limit(self):
        """No trial is started after it; the same command with more time goes on."""
        ini = self.ini(lr="range(0.01, 0.08, 0.01)", seeds="1", more="max_time = 1s")
        self.spur("sweep", ini, "param.epochs=1", "param.pause=0.4")
        states = [x["state"] for x in self.results()]
        done = states.count("done")
        self.assertLess(done, 8)
        self.assertEqual(states, ["done"] * done)  # those that were not begun are not there
        self.assertIn("  %d trial%s done\n" % (done, "" if done == 1 else "s"), self.spur("list", "logs").out)
        self.spur("sweep", self.ini(lr="range(0.01, 0.08, 0.01)", seeds="1"), "param.epochs=1", "param.pause=0.4")
        self.assertEqual([x["state"] for x in self.results()], ["done"] * 8)
        self.assertEqual(len(self.ends()), 8)

    def test_reports(self):
        self.spur("sweep", self.ini(seeds="1..3"))
        rows = self.spur("compare", "logs/s", "--csv").rows
        self.assertEqual([x["configuration"] for x in rows], ["lr=1e-2", "lr=1e-1", "lr=1e-3"])
        self.assertLess(float(rows[1]["p"]), 0.001)
        self.assertEqual(self.spur("compare", "logs/s", "--json").json["reference"], "lr=1e-2")
        self.assertEqual(self.spur("compare", "logs/s", "--json").json["configurations"][0]["n"], 3)
        self.assertIn("| lr=1e-2 |", self.spur("compare", "logs/s", "--md").out)
        self.assertAlmostEqual(float(rows[0]["last_mean"]), 1 / 3 + 0.002, places=5)
        self.assertIn("expected one format at most", self.spur("compare", "logs/s", "--md", "--latex", status=2).err)
        self.assertIn("\\begin{tabular}", self.spur("compare", "logs/s", "--latex").out)
        latex = self.spur("compare", "logs/s", "--latex").out
        self.assertIn(" $\\pm$ ", latex)
        self.assertTrue(latex.isascii(), latex)
        self.assertIn("a sweep", self.spur("show", "logs/s", status=2).err)
        for others in (["logs/s/trial_0001_seed_1"], ["logs/s"], ["nowhere"]):
            refused = self.spur("compare", *others, "logs/s", status=2).err
            self.assertIn("logs/s: found a sweep among several arguments, expected one sweep alone", refused)
            self.assertIn("logs/s/trial_*", refused)
        self.assertIn("logs/s: no run there: found a sweep", self.spur("eval", "logs/s", status=2).err)
        self.assertTrue(self.spur("best", "logs/s").out.endswith("\n%s -S -E program.py '1e-2' '1' '3' '0'\n" % sys.executable))
        shown = self.spur("show", "logs/s/trial_0001_seed_1").out
        self.assertRegex(shown, r"\nval_loss\n( .*\n)+ +1 +3\n")  # the curve, from the program's events
        self.assertIn("best val_loss", shown)
        self.assertNotIn("Checkpoints", shown)
        self.assertIn("9 trials done", self.spur("list", "logs").out)
        self.assertEqual(len(self.spur("list", "logs/s", "--json").json), 9)

    def test_failed_seeds_do_not_win(self):
        """What failed with two seeds of three is not the best for the third, and every report tells of it."""
        fails = "if lr == 1e-2 and seed > 1 or lr > 5:"
        (self.dir / "program.py").write_text(PROGRAM.replace("if lr > 5:", fails))
        r = self.spur("sweep", self.ini(lr="1e-2, 1e-3, 10", seeds="1..3"), status=1)
        self.assertIn("Best val_loss: lr=1e-3: ", r.out)
        self.assertIn("  lr=1e-2: 2 of 3 seeds failed\n  lr=10: 3 of 3 seeds failed\n", r.out)
        self.assertNotIn("seeds = 1..5", r.out)
        self.assertEqual([x["configuration"] for x in self.spur("compare", "logs/s", "--csv").rows],
                         ["lr=1e-3", "lr=1e-2", "lr=10"])
        self.assertIn("| lr=1e-2 (2 failed) |", self.spur("compare", "logs/s", "--md").out)
        self.assertIn("lr=1e-2 (2 failed)", self.spur("compare", "logs/s", "--latex").out)
        self.assertIn(" program.py '1e-3' '1' '3' '0'\n", self.spur("best", "logs/s").out)
        self.spur("sweep", self.ini(name="t", lr="1e-2", seeds="1..3"), status=1)
        self.assertIn("2 of 3 seeds failed", self.spur("best", "logs/t").out)

    def test_options_of_one_name_keep_their_sections(self):
        """gamma is an option of a loss and of a scheduler: a label must tell which."""
        (self.dir / "g.ini").write_text("[data]\nformat = shapes\n[model]\nname = my_net\n[loss]\nname = focal\n[scheduler]\nname = step\n"
                                        "[sweep]\nloss.gamma = 1, 2\nscheduler.gamma = 0.1, 0.3\noptimizer.lr = 0.1\n"
                                        "data.seed = 1, 2\n")
        shown = self.spur("sweep", "g.ini", "--dry-run").out
        self.assertIn("loss.gamma=1 scheduler.gamma=0.1 lr=0.1 data.seed=1", shown)

    def test_importance_is_of_what_was_varied(self):
        self.spur("sweep", self.ini(more="param.epochs = 3"))
        text = self.spur("compare", "logs/s").out.split("What matters", 1)[1]
        self.assertRegex(text, r"\d\d\.\d %  param\.lr\n")
        self.assertNotIn("epochs", text)

    def test_importance_of_many_numbers(self):
        """Twelve rates are not twelve classes, each with a run of its own: that would explain whatever there is."""
        self.spur("sweep", self.ini(lr="range(0.1, 1.2, 0.1)", seeds="1"))
        self.assertRegex(self.spur("compare", "logs/s").out, r"What matters.*\n +\d\d\.\d %  param\.lr\n")
        self.assertRegex(self.spur("list", "logs").out, r"\ns +sweep +- +\S+  12 trials done")

    def test_live_view(self):
        """On a terminal of 80 columns: counts without the conditions' duplicates, no line broken by its length."""
        text = ("[run]\nname = s\nlogdir = logs\n[program]\ncommand = %s -S -E program.py {lr} {seed} 1 0.6\n"
                "objective = val_loss\n[param]\nlr = 1\nword = a\n[sweep]\nparam.lr = 1e-1, 10, 1e-2\n"
                "param.word = %s, b if param.lr == 1e-2\nseeds = 1..2\n" % (sys.executable, "w" * 90))
        (self.dir / "s.ini").write_text(text)
        leader, follower = pty.openpty()
        fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        env = dict(os.environ, TERM="xterm")
        env.pop("COLUMNS", None)
        p = subprocess.Popen([SPUR, "sweep", "s.ini"], cwd=self.dir, stdout=follower, stderr=follower, env=env)
        os.close(follower)
        shown = b""
        try:
            while chunk := os.read(leader, 65536):
                shown += chunk
        except OSError:
            pass  # the end of a terminal
        os.close(leader)
        p.wait()
        live, _, report = shown.decode().rpartition("\x1b[J")
        self.assertRegex(live, r"\d of 8 trials done, 2 failed, \d running; \d+ s, about \d+ s left")
        for line in re.split(r"[\r\n]+", re.sub(r"\x1b\[\d*[A-Z]", "", live)):
            if not line.startswith("spur"):  # a failure is told in full
                self.assertLessEqual(len(line), 79, line)
        self.assertRegex(report, r"mean +std +n +p +last  configuration")

    def test_bands_over_seeds(self):
        self.spur("sweep", self.ini(lr="1e-2", seeds="1..3"))
        rows = self.spur("export", "logs/s/groups/config_0001", "--csv", status=None)
        band = {r["tag"]: float(r["value"]) for r in rows.rows if r["step"] == "1"}
        for part, value in (("lower", 1.001), ("mean", 1.002), ("upper", 1.003)):
            self.assertAlmostEqual(band["val_loss/" + part], value, places=5)

    def test_bands_reach_as_far_as_two_seeds(self):
        """Also where the first seed has stopped early."""
        program = (self.dir / "program.py").read_text()
        self.write("program.py", program.replace("epochs + 1", "(2 if seed == 1 else epochs) + 1"))
        self.spur("sweep", self.ini(lr="1e-2", seeds="1..3"), "param.epochs=4")
        rows = [r for r in self.spur("export", "logs/s/groups/config_0001").rows if r["tag"] == "val_loss/mean"]
        self.assertEqual([r["step"] for r in rows], ["1", "2", "3", "4"])

    def test_reports_at_once(self):
        """Processes that end together take turns: one file of bands for each configuration."""
        ini = self.ini(lr="range(0.01, 0.06, 0.01)", seeds="1..3")
        self.spur("sweep", ini)
        for _ in range(8):
            sweeps = [self.start("sweep", ini, "--quiet") for _ in range(4)]
            for p in sweeps:
                out, err = p.communicate()
                self.assertEqual((p.returncode, err), (0, b""))
            self.assertEqual(len(self.tree("logs/s/groups")), 6, self.tree("logs/s/groups"))
            self.assertEqual(self.tree("logs/s/claims"), [])

    def test_tags_and_notes_of_two_at_once(self):
        self.spur("sweep", self.ini(lr="1e-2", seeds="1"))
        words = ["a-word-of-some-length-%d" % i for i in range(24)]
        for p in [self.start("tag", "logs/s", w) for w in words] + [self.start("note", "logs/s", w) for w in words]:
            p.communicate()
            self.assertEqual(p.returncode, 0)
        self.assertEqual(set(self.spur("tag", "logs/s").out.split()), set(words))
        self.assertEqual(set(self.spur("note", "logs/s").out.split()), set(words))
        many = self.spur("tag", "logs/s", *["t%06d" % i for i in range(12000)], status=2)
        self.assertRegex(many.err, r"^spur tag: logs/s/tags.txt: \w")  # 64 KiB of tags at most
        self.assertEqual(set(self.spur("tag", "logs/s").out.split()), set(words))
        self.assertEqual([r["name"] for w in words for r in self.spur("list", "logs", "--tag", w, "--csv").rows],
                         ["s"] * len(words))

    def test_tags_and_notes_that_cannot_be_written(self):
        """They have failed (1), name the file and why, and leave what was there; a word that is none is wrong use (2)."""
        self.spur("sweep", self.ini(lr="1e-2", seeds="1"))
        self.spur("tag", "logs/s", "kept")
        self.spur("note", "logs/s", "kept, too")
        full = "trap '' XFSZ; ulimit -f 0; exec \"$@\""  # a file-size limit stands in for a full disk
        ways = [(["bash", "-c", full, "bash"], "cannot write: File too large")]
        if os.geteuid() != 0:
            (self.dir / "logs/s").chmod(0o555)
            self.addCleanup((self.dir / "logs/s").chmod, 0o755)
            ways = [([], "cannot create: Permission denied")]
        for before, why in ways:
            tag = self.run_program(*before, SPUR, "tag", "logs/s", "more", status=1)
            self.assertEqual((tag.out, tag.err), ("", "spur tag: logs/s/tags.txt: %s\n" % why))
            note = self.run_program(*before, SPUR, "note", "logs/s", "more", status=1)
            self.assertEqual((note.out, note.err), ("", "spur note: logs/s/notes.md: %s\n" % why))
            self.assertEqual(self.run_program(*before, SPUR, "tag", "logs/s", "two words", status=2).err,
                             "spur tag: 'two words': a tag is one word\n")
        self.assertEqual((self.spur("tag", "logs/s").out, self.spur("note", "logs/s").out), ("kept\n", "kept, too\n"))
        self.assertEqual([p for p in self.tree("logs/s") if p.endswith(".tmp")], [])

    def test_programs_at_work_are_seen(self):
        """list shows a program that has not ended, and rm leaves its sweep alone."""
        ini = self.ini(lr="1e-1, 1e-2", seeds="1")
        process = self.start("sweep", ini, "param.pause=1000")
        self.wait_until(lambda: list(self.dir.glob("logs/s/trial_0001_seed_1/events*")), process)
        rows = self.spur("list", "logs/s", "--csv").rows
        self.assertEqual([(r["name"], r["state"]) for r in rows], [("trial_0001_seed_1", "running")])
        self.assertIn("trial_0001_seed_1: running", self.spur("show", "logs/s/trial_0001_seed_1").out)
        for busy in ("logs/s", "logs/s/trial_0001_seed_1"):
            self.assertIn("a process is working in it", self.spur("rm", busy, status=2).err)
        process.send_signal(signal.SIGINT)
        process.communicate()
        self.assertEqual([r["state"] for r in self.spur("list", "logs/s", "--csv").rows], ["queued"])
        self.spur("rm", "logs/s")

    def test_trash_from_elsewhere(self):
        """A run comes back to its own place from any directory, and the way that is told can be pasted."""
        self.spur("sweep", self.ini(lr="1e-2", seeds="1"))
        (self.dir / "logs/s").rename(self.dir / "logs/it's here")
        (self.dir / "logs/it's here/trial_0001_seed_1").rename(self.dir / "logs/-x")
        (self.dir / "logs/it's here/trial_0009_seed_1").mkdir()
        (self.dir / "logs/it's here/trial_0009_seed_1/status.ini").write_text("")
        (self.dir / "away").mkdir()
        spur = lambda where, *words: self.run_program("sh", "-c", 'cd "$1" && shift && exec "$@"', "sh", where, SPUR, *words)
        way = lambda removed: shlex.split(re.search(r"\(spur (restore .*)\)$", removed.out.strip()).group(1))
        before = self.tree("logs")
        trial = "it's here/trial_0009_seed_1"
        for where, run in ((".", "logs/it's here"), ("logs", "it's here"), (".", "logs/-x"), ("logs", "./-x"),
                           (".", str(self.dir / "logs/-x") + "/"), (".", "logs/" + trial), ("logs", trial),
                           ("logs/it's here", "trial_0009_seed_1"), ("logs/-x", "../" + trial),
                           ("logs/it's here/journal", "../trial_0009_seed_1")):
            told = way(spur(where, "rm", run))
            self.assertNotEqual(self.tree("logs"), before)
            self.assertEqual(list(self.dir.glob("logs/**/.spur-trash")), [])  # TensorBoard would look into it
            spur(where, *told)
            self.assertEqual(self.tree("logs"), before)
            spur(where, "rm", run)
            self.assertEqual(spur("away", "restore", "--logdir", "../logs", "--", told[-1]).out,
                             "../logs/%s\n" % (trial if "trial" in run else told[-1]))
            self.assertEqual(self.tree("logs"), before)
        self.assertEqual(self.tree("away"), [])
        self.assertEqual(spur("logs", "tag", "--", "-x", "kept").out, "kept\n")
        self.assertEqual(spur("logs", "note", "--", "-x", "-y").out, "")
        self.assertEqual(spur("logs", "note", "-x").out, "-y\n")

    def test_trash_behind_a_mount_point(self):
        """The trash is beside the log directory, and so on another file system where that is mounted."""
        self.spur("sweep", self.ini(lr="1e-2", seeds="1"))
        steps = self.dir / "logs/s/trial_0001_seed_1/checkpoints/step_1"
        steps.mkdir(parents=True)
        (steps.parent / "last").symlink_to("step_1")
        (steps / "weights").write_bytes(bytes(range(256)) * 9999)
        (steps / "weights").chmod(0o640)
        os.utime(steps / "weights", (1e9, 1e9))
        steps.chmod(0o750)
        (self.dir / "logs").rename(self.dir / "was")
        (self.dir / "logs").mkdir()
        look = "find s -printf '%p %y %m %l %Ts\\n' -type f -exec cksum {} + | sort"
        script = """set -e
            mount -t tmpfs none logs || exit 77
            cp -a was/s logs/
            (cd logs; LOOK) > before
            out=$("$1" rm logs/s)
            ls logs
            case $out in *' (spur restore --logdir logs s)') ;; *) echo "$out";; esac
            ls -A .spur-trash .spur-trash/0001-s
            (cd .spur-trash/0001-s; mv run s; LOOK; mv s run) | cmp - before
            "$1" restore --logdir logs s
            (cd logs; LOOK) | cmp - before
            ls .spur-trash
            mkfifo logs/s/pipe
            "$1" rm logs/s && exit 1
            ls logs .spur-trash""".replace("LOOK", look)
        r = self.run_program("unshare", "-rm", "sh", "-c", script, "sh", SPUR, status=None)
        if r.status == 77 or "unshare" in r.err:
            self.skipTest("nothing can be mounted here: " + r.err)
        self.assertEqual((r.status, r.out), (0, ".spur-trash:\n0001-s\n\n.spur-trash/0001-s:\norigin\nrun\nlogs/s\n"
                                                ".spur-trash:\n\nlogs:\ns\n"), r)
        self.assertEqual(r.err, "spur rm: logs/s/pipe: cannot copy: neither file, folder nor link\n")

    def test_tpe_and_values_of_failed_trials(self):
        """What a trial logged before it failed makes it no better for the search, nor unfinished in a report."""
        fails = "if 0.002 < lr < 0.05: sys.exit('failed')\n"  # where the values are best
        more = "method = tpe\ntrials = 14\ntpe_startup_trials = 4\n"
        tried = []
        for name, program in (("early", PROGRAM.replace("path = os", fails + "path = os")), ("late", PROGRAM + fails)):
            self.write("program.py", program)
            self.spur("sweep", self.ini(name=name, lr="log(1e-4, 10)", seeds="1", more=more), status=1)
            rows = self.results(name)
            tried.append([(r["param.lr"], r["state"]) for r in rows])
            self.assertIn("failed", [r["state"] for r in rows])
            self.assertEqual(any(r["best"] for r in rows if r["state"] == "failed"), name == "late")
            for group in self.spur("compare", "logs/" + name, "--json").json["configurations"]:
                self.assertEqual((group["n"] + group["failed"], group["unfinished"]), (1, 0))
        self.assertEqual(*tried)

    def test_a_trial_whose_status_is_damaged(self):
        """Its state is told; the other trials are seen, and run. Itself it is left alone: it may be done."""
        self.spur("sweep", self.ini())
        self.assertIn("lr=1e-2", self.spur("best", "logs/s").out)
        status = self.dir / "logs/s/trial_0002_seed_1/status.ini"
        good = status.read_bytes()
        status.write_bytes(b"[status]\nstate")
        where = "logs/s/trial_0002_seed_1/status.ini:2:1: expected 'key = value', found state"
        states = {r["name"]: r["state"] for r in self.spur("list", "logs/s", "--csv").rows}
        self.assertEqual(states.pop("trial_0002_seed_1"), "damaged")
        self.assertEqual(set(states.values()), {"done"})
        self.assertEqual([(r["done"], r["trials"]) for r in self.spur("list", "logs", "--csv").rows], [("5", "6")])
        self.assertIn("  5 trials done, 1 not\n", self.spur("list", "logs").out)
        self.assertIn("trial_0002_seed_1: damaged\n  %s\n" % where, self.spur("show", "logs/s/trial_0002_seed_1").out)
        compared, best = self.spur("compare", "logs/s"), self.spur("best", "logs/s")
        self.assertEqual(compared.err, "spur compare: %s; this run's state is not known\n" % where)
        self.assertEqual(best.err, "spur best: %s; this run's state is not known\n" % where)
        self.assertIn("lr=1e-2 (1 unfinished)", compared.out)
        self.assertRegex(best.out, r"lr=(1e-1|1e-3)")
        shutil.rmtree(self.dir / "logs/s/trial_0003_seed_2")
        before = self.tree("logs/s/trial_0002_seed_1")
        r = self.spur("sweep", "s.ini", status=1)
        self.assertIn(where + "; the trial is left as it is", r.err)
        self.assertEqual((self.tree("logs/s/trial_0002_seed_1"), status.read_bytes()), (before, b"[status]\nstate"))
        self.assertEqual([r["state"] for r in self.results()], ["done", "done", "damaged", "done", "done", "done"])
        status.write_bytes(good)
        self.spur("sweep", "s.ini")
        self.assertEqual({r["state"] for r in self.results()}, {"done"})
        self.assertEqual(self.ends().count("trial_0002_seed_1"), 1)
        status.write_bytes(b"\xff")
        self.spur("rm", "logs/s/trial_0002_seed_1")
        self.spur("sweep", "s.ini")
        self.assertEqual(self.ends().count("trial_0002_seed_1"), 2)

    def test_trash(self):
        self.spur("sweep", self.ini(lr="1e-2", seeds="1"))
        self.spur("tag", "logs/s", "good", "old")
        self.assertEqual(self.spur("tag", "logs/s", "-old").out, "good\n")
        removed = self.spur("rm", "logs/s/trial_0001_seed_1").out
        self.assertFalse((self.dir / "logs/s/trial_0001_seed_1").exists())
        self.spur(*re.search(r"\(spur (restore .*)\)", removed).group(1).split())  # the way back is told
        self.assertTrue((self.dir / "logs/s/trial_0001_seed_1/status.ini").exists())
        self.spur("rm", "logs/s")
        self.assertFalse((self.dir / "logs/s").exists())
        self.spur("restore", "s", "--logdir", "logs")
        self.assertEqual(len(self.results()), 1)
        self.assertIn("  1 trial done  [good]\n", self.spur("list", "logs").out)
        self.spur("rm", "nowhere", status=2)


if __name__ == "__main__":
    main()
