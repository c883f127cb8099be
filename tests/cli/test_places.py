# SPDX-License-Identifier: MIT
# cli needs: engine
"""Runs in odd places: copies, directories with odd names, closed streams, what a kill and a power cut leave."""
import shutil
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

    def test_a_trial_taken_out_of_its_sweep(self):
        self.write("s.ini", "include = t.ini\n[sweep]\noptimizer.lr = 1e-2\npruner = median\n")
        self.spur("sweep", "s.ini", "train.epochs=1000000", "train.max_time=0.3s", status=1)
        shutil.copytree(self.dir / "my_logs/s/trial_0001", self.dir / "copy", symlinks=True)
        shutil.rmtree(self.dir / "my_logs")
        self.assertIn("To continue: spur resume", self.spur("resume", "copy").out)
        self.assertEqual(self.state("copy"), "interrupted")

    @unittest.skipUnless(shutil.which("cc"), "needs a C compiler")
    def test_a_checkpoint_is_synced_with_what_it_counts_on(self):
        self.write("syncs.c", SYNCS)
        self.run_program("cc", "-shared", "-fPIC", "-o", "syncs.so", "syncs.c", "-ldl")
        self.spur("train", "t.ini", "train.epochs=1",
                  env={"SPUR_RUN_DIR": "logs/a", "LD_PRELOAD": str(self.dir / "syncs.so"),
                       "SYNCED": str(self.dir / "synced"), "ASAN_OPTIONS": "verify_asan_link_order=0:detect_leaks=0"})
        run = (self.dir / "logs/a").resolve()
        synced = (self.dir / "synced").read_text().splitlines()
        for wanted in [run / "metrics.csv", *run.glob("events*"), *run.glob("*/events*")]:
            self.assertIn(str(wanted), synced)


if __name__ == "__main__":
    main()
