# SPDX-License-Identifier: MIT
# cli needs: engine
"""Sweeps, runs and the trash where another process, or a kill, comes in between."""
import json
import os
import shutil
import signal
import time
from pathlib import Path

from harness import SPUR, main
from sweeps import SweepCli

# Trials of the trainer; the data take a second to make, before which a trial has nothing to show.
TRAINED = """
[run]
name = s
logdir = logs
[data]
format = shapes
size = 16x16
samples = %d
[model]
name = mlp
[train]
epochs = 2
limit_batches = 4
[sweep]
optimizer.lr = 1e-3
"""


class Races(SweepCli):
    def events(self):
        """What the journals tell, in order: (event, trial)."""
        lines = [json.loads(line) for path in self.dir.glob("logs/s/journal/*.jsonl") for line in path.read_text().splitlines()]
        return [(e["event"], e["trial"]) for e in sorted(lines, key=lambda e: e["time"])]

    def wait_for(self, true, process=None):
        while not true():
            if process:
                self.assertIsNone(process.poll())
            time.sleep(0.005)

    def end(self, process, status=0):
        out, err = process.communicate()
        self.assertEqual(process.returncode, status, err)
        return err.decode()

    def identity(self):
        """This process as claims name it."""
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        space = os.readlink("/proc/self/ns/pid")
        if space != "pid:[4026531836]":
            boot += "/" + space
        stat = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        return "%s %s %d %s\n" % (os.uname().nodename, boot, os.getpid(), stat[19])

    def test_a_trial_that_has_only_just_begun_is_adopted(self):
        """Its worker is killed before the trial has made anything of its own: it is not started twice."""
        self.write("s.ini", TRAINED % 60000)
        worker = self.start("sweep", "s.ini")
        lock = self.dir / "logs/s/trial_0001/trial.lock"
        self.wait_for(lambda: lock.exists() and lock.read_text().endswith("\n"), worker)
        os.kill(worker.pid, signal.SIGKILL)
        self.end(worker, -signal.SIGKILL)
        self.assertFalse((lock.parent / "status.ini").exists())
        self.assertEqual([r["state"] for r in self.spur("list", "logs/s", "--csv").rows], ["running"])
        self.assertIn("a process is working in it", self.spur("rm", "logs/s/trial_0001", status=2).err)
        self.spur("sweep", "s.ini")
        self.assertEqual([e for e, _ in self.events() if e != "start"], ["adopt", "end"])
        self.assertLessEqual([e for e, _ in self.events()].count("start"), 1)  # the killed one may not have told it
        self.assertEqual(len((lock.parent / "metrics.csv").read_text().splitlines()), 3)
        self.assertEqual(len(list((lock.parent / "train").iterdir())), 1)

    def test_two_files_at_once_for_one_place(self):
        """Of two that would begin different sweeps there the second is refused, as it is later on."""
        claim = self.write("logs/s/claims/opening", self.identity())
        self.ini()
        sweeps = [self.start("sweep", "s.ini", "sweep.seeds=1..%d" % n) for n in (1, 2)]
        time.sleep(0.5)
        self.assertFalse((self.dir / "logs/s/fingerprint.txt").exists())  # both wait
        claim.unlink()
        said = [p.communicate()[1].decode() for p in sweeps]
        codes = [p.returncode for p in sweeps]
        self.assertEqual(sorted(codes), [0, 2], said)
        self.assertIn("holds a sweep that differs", said[codes.index(2)])
        self.assertEqual(len(self.results()), 3 * (1 + codes.index(0)))
        self.assertIn("seeds = 1..%d\n" % (1 + codes.index(0)), (self.dir / "logs/s/sweep.ini").read_text())
        self.assertEqual(self.tree("logs/s/claims"), [])

    def test_a_worker_between_two_trials_is_seen(self):
        worker = self.start("sweep", self.ini(lr="1e-2", seeds="1..2"), "param.epochs=2", "param.pause=0.2")
        self.wait_for(lambda: list(self.dir.glob("logs/s/trial_0001_seed_1/events*")), worker)
        os.kill(worker.pid, signal.SIGSTOP)
        self.wait_for((self.dir / "logs/s/trial_0001_seed_1/exit").exists)
        time.sleep(0.2)
        self.assertIn("a process is working in it", self.spur("rm", "logs/s", status=2).err)
        os.kill(worker.pid, signal.SIGCONT)
        self.end(worker)
        self.spur("rm", "logs/s")

    def test_a_lost_claim(self):
        """Who was taken for dead, and finds that another has the trial, leaves it to him."""
        worker = self.start("sweep", self.ini(lr="1e-2", seeds="1"), "param.epochs=3", "param.pause=0.2")
        claim = self.dir / "logs/s/claims/trial_0001_seed_1"
        self.wait_for(lambda: list(self.dir.glob("logs/s/trial_0001_seed_1/events*")), worker)
        self.write("mine", self.identity())
        (self.dir / "mine").rename(claim)
        self.wait_for((self.dir / "logs/s/trial_0001_seed_1/exit").exists)
        time.sleep(0.5)
        self.assertIsNone(worker.poll())
        self.assertEqual(self.events(), [("start", "trial_0001_seed_1")])
        self.assertEqual(claim.read_text(), self.identity())
        claim.unlink()
        self.end(worker)
        self.assertEqual(self.events()[1:], [("adopt", "trial_0001_seed_1"), ("end", "trial_0001_seed_1")])

    def test_what_killed_workers_left_goes(self):
        """Temporary files, after an hour; what is younger may be of a worker that lives."""
        self.write("s.ini", TRAINED % 64)
        self.spur("sweep", "s.ini")
        self.spur("train", "s.ini", "train.epochs=4", "--max-time", "0.001")
        run = next(self.dir.glob("logs/run*"))
        places = [self.dir / "logs/s", self.dir / "logs/s/claims", self.dir / "logs/s/configurations", run]
        for place in places:
            for name, age in (("old.1.0.tmp", 7200), ("young.1.0.tmp", 60), ("kept.tmp", 7200), ("kept.1.tmp", 7200)):
                self.write(place / name, "")
                os.utime(place / name, (time.time() - age,) * 2)
        self.write(run / "resume/step_1.ini.1.0.tmp", "")
        self.spur("sweep", "s.ini")
        self.spur("resume", run, "train.max_time=")
        for place in places:
            self.assertEqual([(place / n).exists() for n in ("old.1.0.tmp", "young.1.0.tmp", "kept.tmp", "kept.1.tmp")],
                             [False, True, True, True])
        self.assertEqual(list(run.glob("resume/*.tmp")), [])

    def test_a_worker_that_fails_stops_its_trials(self):
        worker = self.start("sweep", self.ini(lr="1e-2", seeds="1..3", more="jobs = 2"), "param.epochs=100", "param.pause=10")
        trials = [self.dir / "logs/s/trial_0001_seed_1", self.dir / "logs/s/trial_0001_seed_2"]
        self.wait_for(lambda: all(list(t.glob("events*")) for t in trials), worker)
        shutil.rmtree(self.dir / "logs/s/claims")
        os.killpg(int((trials[0] / "trial.lock").read_text().split()[2]), signal.SIGKILL)
        self.assertIn("cannot claim", self.end(worker, 1))
        self.wait_for(lambda: self.spur("list", "logs/s", "--csv").out.count("running") == 0)

    def test_the_claim_of_a_long_report_is_kept_alive(self):
        self.spur("sweep", self.ini(lr="range(0.01, 0.12, 0.01)", seeds="1..3"))
        claim, fresh = self.dir / "logs/s/claims/report", 0
        sweep = self.start("sweep", "s.ini")
        while sweep.poll() is None:
            try:
                if claim.stat().st_mtime > 1000:
                    fresh += 1
                    os.utime(claim, (1000, 1000))
            except OSError:
                pass  # not there yet, or given back
        self.end(sweep)
        self.assertGreater(fresh, 1)  # when it was made, and again

    def test_a_state_of_a_later_version(self):
        """It is kept: by a sweep, and by resume."""
        self.write("s.ini", TRAINED % 64)
        self.spur("sweep", "s.ini")
        status = self.dir / "logs/s/trial_0001/status.ini"
        later = status.read_text().replace("state = done", "state = frozen")
        status.write_text(later)
        says = r"logs/s/trial_0001/status.ini:2:9: unknown state 'frozen', expected running, interrupted, done"
        self.assertRegex(self.spur("sweep", "s.ini", status=1).err, says)
        self.assertRegex(self.spur("resume", "logs/s/trial_0001", status=2).err, "spur resume: " + says)
        self.assertEqual([r["state"] for r in self.spur("list", "logs/s", "--csv").rows], ["damaged"])
        self.assertEqual(status.read_text(), later)

    def test_resumed_by_another_meanwhile(self):
        """The second `spur resume` has looked at the run, and opens its data, while the first one ends it."""
        self.write("s.ini", TRAINED % 60000)
        self.spur("train", "s.ini", "train.epochs=40", "--max-time", "0.001")
        run = str(next(self.dir.glob("logs/run*")).relative_to(self.dir))
        late = self.start("resume", run, "train.max_time=")
        time.sleep(0.1)
        os.kill(late.pid, signal.SIGSTOP)
        self.spur("resume", run, "train.max_time=")
        before = {p: (self.dir / run / p).read_bytes() for p in self.tree(run)}
        os.kill(late.pid, signal.SIGCONT)
        self.assertRegex(self.end(late, 2), "another process has ended this run meanwhile|this run is done")
        self.assertEqual({p: (self.dir / run / p).read_bytes() for p in self.tree(run)}, before)

    def test_a_place_of_the_trash_that_was_never_filled(self):
        """Whoever was killed while moving a run leaves one: it hides nothing."""
        self.spur("sweep", self.ini(lr="1e-2", seeds="1"))
        self.spur("rm", "logs/s")
        self.write(".spur-trash/0002-s/origin", "logs/s")
        self.assertEqual(self.spur("restore", "--logdir", "logs").out, "0001-s\n")
        self.spur("restore", "--logdir", "logs", "s")
        self.assertEqual(len(self.results()), 1)

    def test_export_leaves_the_temporary_files_of_others_alone(self):
        self.write("s.ini", TRAINED % 64)
        self.spur("sweep", "s.ini")
        files = ("export", "logs/s/trial_0001", "--kind", "graph", "--output", "out")
        self.spur(*files)
        file = next(p for p in (self.dir / "out").rglob("*") if p.is_file())
        script = 'echo other > "$1.$$.tmp"; shift; exec "$@"'  # the pid stays
        self.run_program("sh", "-c", script, "sh", file, SPUR, *files)
        self.assertEqual([p.read_text() for p in file.parent.glob("*.tmp")], ["other\n"])


if __name__ == "__main__":
    main()
