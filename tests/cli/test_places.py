# SPDX-License-Identifier: MIT
# cli needs: engine
"""Runs in odd places: copies, directories with odd names, closed streams, what a kill and a power cut leave."""
import os
import shutil
import signal
import unittest

from harness import SPUR, Cli, main

TABLE = """
[data]
format = csv
path = t.csv
task = classification
[model]
name = mlp
[train]
epochs = 2
metrics = accuracy
"""

# Tells which files are synced.
SYNCS = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
int fsync(int fd) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    FILE *list = fopen(getenv("SYNCED"), "a");
    if (list && n > 0) fprintf(list, "%.*s\n", (int)n, path);
    if (list) fclose(list);
    return ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(fd);
}
"""

# A signal comes as soon as there is a status.ini.
SIGNAL = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
int rename(const char *old, const char *new) {
    static int came;
    int status = ((int (*)(const char *, const char *))dlsym(RTLD_NEXT, "rename"))(old, new);
    if (strstr(new, "/status.ini") && !came++) raise(SIGTERM);
    return status;
}
"""

# The system's time is set back by a day at every look at it.
CLOCK = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>
int clock_gettime(clockid_t clock, struct timespec *t) {
    static int looks;
    int status = ((int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime"))(clock, t);
    if (clock == CLOCK_REALTIME) t->tv_sec -= 86400 * (looks++ % 1000);
    return status;
}
"""


class Places(Cli):
    def setUp(self):
        super().setUp()
        self.table(self.dir)
        self.write("t.ini", TABLE)

    def table(self, folder, classes=3, rows=60):
        lines = "".join("%d,%d,c%d\n" % (i % 9, i % 5, i % classes) for i in range(rows))
        (folder / "t.csv").write_text("x,y,kind\n" + lines)

    def state(self, run):
        return next(line.split(" = ")[1] for line in (self.dir / run / "status.ini").read_text().splitlines()
                    if line.startswith("state"))

    def shell(self, script, **more):
        """A script in which $0 is the program."""
        return self.run_program("sh", "-c", script, SPUR, **more)

    def test_closed_streams(self):
        """What is printed does not get into the files that are opened."""
        self.write("s.ini", "include = t.ini\n[sweep]\noptimizer.lr = 1e-2, 1e-3\n")
        self.shell("$0 train t.ini <&- >&- 2>&-", env={"SPUR_RUN_DIR": "logs/a"})
        self.shell("$0 sweep s.ini run.logdir=logs >&-")
        told = [p.name for p in (self.dir / "logs").rglob("*")
                if p.is_file() and any(word in p.read_bytes() for word in (b"Trained 2", b"lr=1e-2  val"))]
        self.assertEqual(told, ["stdout.log"] * 3)
        # an answer that gets lost is a failure, a run is there all the same
        for command in ("list logs", "list logs --csv", "show logs/a", "best logs/s", "compare logs/s", "help", "--help",
                        "--version", "list --help", "summary logs/a", "eval logs/a", "train t.ini --dry-run --help"):
            r = self.shell("$0 %s >/dev/full" % command, status=1)
            self.assertRegex(r.err, "^spur .*(cannot write|input or output failed)", command)
        self.shell("$0 train t.ini >/dev/full", env={"SPUR_RUN_DIR": "logs/b"})

    def test_a_trial_taken_out_of_its_sweep(self):
        self.write("s.ini", "include = t.ini\n[sweep]\noptimizer.lr = 1e-2\npruner = median\n")
        process = self.start("sweep", "s.ini", "train.epochs=1000000", "train.max_time=1d")
        self.wait_until(lambda: list(self.dir.glob("my_logs/s/trial_0001/checkpoints/last")), process)
        process.send_signal(signal.SIGINT)
        process.communicate()
        self.assertEqual(process.returncode, 130)
        self.assertEqual(self.state("my_logs/s/trial_0001"), "interrupted")
        shutil.copytree(self.dir / "my_logs/s/trial_0001", self.dir / "copy", symlinks=True)
        shutil.rmtree(self.dir / "my_logs")
        config = (self.dir / "copy/config.ini").read_text()
        self.write("copy/config.ini", config.replace("max_time = 1d", "max_time = 0.1s"))
        self.assertIn("To continue: spur resume", self.spur("resume", "copy").out)
        self.assertEqual(self.state("copy"), "interrupted")

    def test_a_working_directory_with_comment_signs(self):
        odd = self.dir / "a ;b" / "c #\\x41 \n"
        odd.mkdir(parents=True)
        self.table(odd)
        shutil.copy(self.dir / "t.ini", odd)
        (self.dir / "t.csv").unlink()  # so that relative paths count from nowhere else
        self.shell('cd "$1" && "$0" train t.ini'.replace("$1", "$ODD"), env={"ODD": str(odd), "SPUR_RUN_DIR": "run"})
        self.assertIn("Trained 3 epochs", self.spur("resume", odd / "run", "train.epochs=3").out)
        self.assertIn("accuracy", self.spur("eval", odd / "run").out)

    def test_a_run_called_by_a_dot(self):
        self.spur("train", "t.ini", env={"SPUR_RUN_DIR": "logs/a"})
        r = self.shell('cd logs/a && exec "$0" resume . train.epochs=3')
        self.assertIn("--logdir=%s\n" % (self.dir / "logs").resolve(), r.out)
        self.shell('cd logs/a/train && "$0" rm ..')
        self.assertEqual(os.listdir(self.dir / "logs"), [])
        self.assertEqual(len(self.spur("restore", "--logdir", "logs").out.splitlines()), 1)
        self.spur("restore", "--logdir", "logs", "a")
        self.assertEqual(self.state("logs/a"), "done")

    def test_many_classes(self):
        """data.ini has a line for each."""
        self.table(self.dir, 5000, 10000)
        self.spur("train", "t.ini", "train.epochs=1", "data.batch_size=1000", "log.report=false", "log.pr_curves=false",
                  "log.graph=false", "log.worst=0", env={"SPUR_RUN_DIR": "logs/a"})
        self.assertIn("accuracy", self.spur("eval", "logs/a", "--json").out)

    def preloaded(self, source):
        """The environment in which the program's calls meet these functions first."""
        self.write("first.c", source)
        self.run_program("cc", "-shared", "-fPIC", "-o", "first.so", "first.c", "-ldl")
        return {"SPUR_RUN_DIR": "logs/a", "LD_PRELOAD": str(self.dir / "first.so"),
                "ASAN_OPTIONS": "verify_asan_link_order=0:detect_leaks=0"}

    @unittest.skipUnless(shutil.which("cc"), "needs a C compiler")
    def test_a_signal_before_the_first_step(self):
        self.spur("train", "t.ini", status=130, env=self.preloaded(SIGNAL))
        self.assertEqual(self.state("logs/a"), "interrupted")
        self.assertIn("Continuing after step 1 ", self.spur("resume", "logs/a", "train.epochs=1").out)

    @unittest.skipUnless(shutil.which("cc"), "needs a C compiler")
    def test_a_clock_that_is_set(self):
        """Durations do not depend on it."""
        env = self.preloaded(CLOCK)
        self.assertRegex(self.spur("train", "t.ini", "train.max_time=1h", env=env).out, r"Trained 2 epochs \(4 steps\) in 0:\d\d\.")
        rows = self.spur("export", "logs/a", "--tag", "perf/epoch_seconds").rows
        self.assertEqual([float(r["value"]) >= 0 for r in rows], [True, True])
        self.spur("resume", "logs/a", "train.epochs=1000000", "train.max_time=1e-9", env=env)
        self.assertEqual(self.state("logs/a"), "interrupted")

    def test_lr_find_that_was_killed(self):
        process = self.start("lr-find", "t.ini", "--steps", "1000000", "run.logdir=logs")
        self.wait_until(lambda: list(self.dir.glob("logs/*/status.ini")), process)
        process.send_signal(signal.SIGSTOP)  # it does not end while it is looked at
        self.assertEqual([r["state"] for r in self.spur("list", "logs", "--csv").rows], ["running"])
        process.kill()
        process.communicate()
        self.assertEqual([r["state"] for r in self.spur("list", "logs", "--csv").rows], ["stale"])
        self.spur("rm", next(self.dir.glob("logs/*")))

    @unittest.skipUnless(shutil.which("cc"), "needs a C compiler")
    def test_a_checkpoint_is_synced_with_what_it_counts_on(self):
        env = {**self.preloaded(SYNCS), "SYNCED": str(self.dir / "synced")}
        self.spur("train", "t.ini", "train.epochs=1", env=env)
        run = (self.dir / "logs/a").resolve()
        synced = (self.dir / "synced").read_text().splitlines()
        for wanted in [run / "metrics.csv", *run.glob("events*"), *run.glob("*/events*"), run / "train", run / "validation",
                       run, run.parent, run.parent.parent]:
            self.assertIn(str(wanted), synced)
        self.spur("resume", "logs/a", "train.epochs=2", env=env)
        synced = (self.dir / "synced").read_text()
        self.assertEqual(synced.count("/.spur-continue.tmp\n"), 3)  # what takes the place of the old event files


if __name__ == "__main__":
    main()
