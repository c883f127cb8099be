# SPDX-License-Identifier: MIT
# cli needs: engine
"""Checkpoints when a training is killed, or its disk gets full, between any two changes of its folder; and the order in
which they are synced, linked and removed, which is what a power cut leaves of them."""
import os
import re
import shutil
import signal
import unittest

from harness import main
from runs import AT_ONCE, Run

SMALLEST = """
[run]
threads = 1
[data]
format = csv
path = t.csv
task = classification
batch_size = 16
[model]
name = mlp
layers = 1
width = 4
[optimizer]
lr = 0.03
[train]
epochs = 3
checkpoint_every = 2
keep = 1
metrics = accuracy
monitor = val_loss
[log]
graph = false
histograms_every = 0
pr_curves = false
report = false
"""

# Counts the calls that change names in the file system, and the syncs. The one numbered AT is not made: in MODE "kill" the
# process ends there; in MODE "full" this one and all later ones that need room fail; in MODE "stop" it is made, and the process
# is asked to stop. Those that were made stand in LIST.
POINTS = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#define REAL(name, ...) ((int (*)(__VA_ARGS__))dlsym(RTLD_NEXT, name))
static int blocked(const char *call, const char *path, const char *other) {
    static int count;
    int at = atoi(getenv("AT")), now = __atomic_add_fetch(&count, 1, __ATOMIC_SEQ_CST);
    int full = strcmp(getenv("MODE"), "full") == 0;
    if (now == at && !full) raise(strcmp(getenv("MODE"), "stop") == 0 ? SIGINT : SIGKILL);
    if (full && at > 0 && now >= at && strcmp(call, "unlink") != 0 && strcmp(call, "rmdir") != 0) {
        errno = ENOSPC;
        return 1;
    }
    FILE *list = fopen(getenv("LIST"), "a");
    if (list) fprintf(list, "%s\t%s\t%s\n", call, path, other);
    if (list) fclose(list);
    return 0;
}
static const char *named(int fd, const char *name) {
    static char path[4096];
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    snprintf(path + (n < 0 ? 0 : n), sizeof path - (size_t)(n < 0 ? 0 : n), "%s%s", *name ? "/" : "", name);
    return path;
}
int rename(const char *from, const char *to) {
    return blocked("rename", to, from) ? -1 : REAL("rename", const char *, const char *)(from, to);
}
int symlink(const char *target, const char *path) {
    return blocked("symlink", path, target) ? -1 : REAL("symlink", const char *, const char *)(target, path);
}
int unlink(const char *path) {
    if (faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) != 0) return -1;
    return blocked("unlink", path, "") ? -1 : REAL("unlink", const char *)(path);
}
int unlinkat(int fd, const char *name, int flags) {
    if (faccessat(fd, name, F_OK, AT_SYMLINK_NOFOLLOW) != 0) return -1;
    return blocked("unlink", named(fd, name), "") ? -1 : REAL("unlinkat", int, const char *, int)(fd, name, flags);
}
int rmdir(const char *path) {
    return blocked("rmdir", path, "") ? -1 : REAL("rmdir", const char *)(path);
}
int mkdir(const char *path, mode_t mode) {
    if (access(path, F_OK) == 0) return errno = EEXIST, -1;
    return blocked("mkdir", path, "") ? -1 : REAL("mkdir", const char *, mode_t)(path, mode);
}
int fsync(int fd) {
    return blocked("fsync", named(fd, ""), "") ? -1 : REAL("fsync", int)(fd);
}
"""


@unittest.skipUnless(shutil.which("cc"), "needs a C compiler")
class Points(Run):
    def setUp(self):
        super().setUp()
        self.dir = self.dir.resolve()
        self.write("t.csv", "x,y,kind\n" + "".join("%d,%d,c%d\n" % (i % 9, i % 5, i % 9 // 3) for i in range(60)))
        self.write("t.ini", SMALLEST)
        self.write("points.c", POINTS)
        self.run_program("cc", "-shared", "-fPIC", "-o", "points.so", "points.c", "-ldl")
        self.place = self.dir / "run"

    def to(self, point, mode, *command, status, place=None):
        """Runs a command to that point (0: to its end). The calls that it made, as (name, path in the run, other path)."""
        env = {"SPUR_RUN_DIR": str(self.place) if place is None else place, "LD_PRELOAD": str(self.dir / "points.so"), "AT": str(point), "MODE": mode,
               "LIST": str(self.dir / "list"), "ASAN_OPTIONS": "verify_asan_link_order=0:detect_leaks=0"}
        self.write("list", "")
        self.spur(*command, env=env, status=status)
        calls = [line.split("\t") for line in (self.dir / "list").read_text().splitlines()]
        return [(name, re.sub(r"\.\d+\.\d+\.tmp$", ".tmp", os.path.relpath(path, self.place)), other)
                for name, path, other in calls]

    def undisturbed(self, *overrides):
        """The calls of a training, where in them `last` is linked, and what it leaves."""
        self.spur("train", "t.ini", "--dry-run")  # what is remembered of the data is written once
        calls = self.to(0, "kill", "train", "t.ini", *overrides, status=0)
        left = self.digest(self.place)
        shutil.rmtree(self.place)
        return calls, [i for i, c in enumerate(calls) if c[:2] == ("rename", "checkpoints/last")], left

    def ends_the_same(self, left):
        self.spur("resume", self.place)
        self.assertEqual(self.digest(self.place), left)
        shutil.rmtree(self.place)

    def in_order(self, calls, wanted):
        """All that is wanted is there, one after the other; others may stand between."""
        rest = iter(calls)
        for call in wanted:
            self.assertTrue(call in rest, "no %s in its place in\n%s" % (call, "\n".join(map(str, calls))))


class KillPoints(Points):
    def test_killed(self):
        calls, links, left = self.undisturbed()
        for i in range(links[0], links[2] + 9):
            if calls[i][0] != "fsync":  # of which a kill takes no notice
                with self.subTest(before=calls[i]):
                    self.to(i + 1, "kill", "train", "t.ini", status=-signal.SIGKILL)
                    self.ends_the_same(left)

    def test_killed_once_more(self):
        """`best` is linked and `last` not yet; what goes on from there takes it back, and is killed at that."""
        calls, links, left = self.undisturbed()
        i = next(i for i in links[2:] if calls[i - 3][:2] == ("rename", "checkpoints/best"))
        self.to(i + 1, "kill", "train", "t.ini", status=-signal.SIGKILL)
        best, last = (os.readlink(self.place / "checkpoints" / name) for name in ("best", "last"))
        before = [c[2] for c in calls[:i - 4] if c[:2] == ("symlink", "checkpoints/.best.tmp")][-1]
        self.assertNotIn(last, (before, best))
        kept = self.dir / "kept"
        self.place.rename(kept)
        shutil.copytree(kept, self.place, symlinks=True)
        self.spur("resume", self.place, "train.max_time=" + AT_ONCE)
        self.assertEqual(os.readlink(self.place / "checkpoints/best"), before)
        shutil.rmtree(self.place)
        shutil.copytree(kept, self.place, symlinks=True)
        calls = self.to(0, "kill", "resume", self.place, status=0)
        calls = calls[:next(k for k, c in enumerate(calls) if c[:2] == ("rename", "checkpoints/last"))]
        self.assertIn(("unlink", "checkpoints/%s/state" % best, ""), calls)
        for k in range(len(calls)):
            if calls[k][0] != "fsync":
                with self.subTest(before=calls[k]):
                    shutil.rmtree(self.place, ignore_errors=True)
                    shutil.copytree(kept, self.place, symlinks=True)
                    self.to(k + 1, "kill", "resume", self.place, status=-signal.SIGKILL)
                    self.ends_the_same(left)

    def test_killed_at_the_first_epoch_s_end(self):
        """`best` is linked and `last` not yet: what goes on has not judged an epoch, so it has no best one."""
        calls, links, left = self.undisturbed()
        i = next(i for i, c in enumerate(calls) if c[:2] == ("rename", "checkpoints/best"))
        self.to(i + 2, "kill", "train", "t.ini", status=-signal.SIGKILL)
        self.assertEqual([os.readlink(self.place / "checkpoints" / name) for name in ("best", "last")], ["step_3", "step_2"])
        self.spur("resume", self.place, "train.max_time=" + AT_ONCE)
        self.assertEqual(sorted(os.listdir(self.place / "checkpoints")), ["last", "step_2", "step_3"])
        self.spur("resume", self.place, "train.max_time=")
        self.assertEqual(self.digest(self.place), left)

    def test_a_full_disk(self):
        calls, links, left = self.undisturbed()
        for i in range(links[1] + 1, links[2] + 1):
            if calls[i][0] not in ("unlink", "rmdir"):
                with self.subTest(at=calls[i]):
                    self.to(i + 1, "full", "train", "t.ini", status=1)
                    self.ends_the_same(left)

    def test_what_a_power_cut_leaves(self):
        """What is linked is on the disk with all that it counts on, and nothing is removed before the link to it has gone."""
        calls, links, _ = self.undisturbed()
        for before, at in zip([-1] + links, links):
            saved = [c[:2] for c in calls[before + 2:at + 2]]
            while saved[0][0] in ("unlink", "rmdir"):  # of those before
                saved.pop(0)
            step = "checkpoints/" + calls[at - 1][2]
            files = [step + "/" + name for name in ("weights.safetensors", "optimizer.safetensors", "state")]
            files.insert(0, next(path for name, path in saved if name == "rename" and path.startswith("resume/")))
            wanted = [("fsync", "metrics.csv")]
            wanted += [call for path in files for call in (("fsync", path + ".tmp"), ("rename", path),
                                                           ("fsync", os.path.dirname(path)))]
            wanted += [("fsync", "checkpoints")]
            if ("rename", "checkpoints/best") in saved:
                wanted += [("rename", "checkpoints/best"), ("fsync", "checkpoints")]
            wanted += [("rename", "checkpoints/last"), ("fsync", "checkpoints")]
            self.in_order(saved, wanted)
            self.assertLess(saved.index(("mkdir", step)), saved.index(("rename", files[1])))
            self.assertEqual([c for c in saved if c[0] in ("unlink", "rmdir")], [])
        dated = self.to(0, "kill", "train", "t.ini", "run.logdir=%s/logs" % self.dir, status=0, place="")
        run = next(path for name, path, _ in dated if name == "mkdir" and path.startswith("../logs/run_"))
        for calls_of, new, above in ((calls, ".", ".."), (calls, "checkpoints", "."), (calls, "resume", "."),
                                     (dated, "../logs", ".."), (dated, run, "../logs"), (dated, run + "/resume", run)):
            at = [c[:2] for c in calls_of].index(("mkdir", new))
            self.assertEqual(calls_of[at + 1][:2], ("fsync", above))
        removed = [path for name, path, _ in calls if name == "unlink" and path.startswith("checkpoints/")]
        self.assertGreater(len(removed), 5)
        for folder in {os.path.dirname(path) for path in removed}:  # half of a checkpoint is none
            self.assertEqual(next(path for path in removed if path.startswith(folder + "/")), folder + "/state")


class PutOff(Points):
    """Epochs so short that they are not saved one by one: of four the first and the last are, and the best one's weights."""
    STEPS = 3  # of an epoch
    WORSE_FROM_THE_FOURTH = "scheduler.name=step", "scheduler.step_size=3", "scheduler.gamma=1e3"
    FAILS_IN_THE_FOURTH = "scheduler.name=step", "scheduler.step_size=3", "scheduler.gamma=1e30"

    def setUp(self):
        super().setUp()
        self.write("t.ini", SMALLEST.replace("epochs = 3", "epochs = 4")
                   .replace("checkpoint_every = 2\nkeep = 1\n", "checkpoint_secs = 3600\n"))

    def links(self):
        return tuple(os.readlink(self.place / "checkpoints" / name) for name in ("last", "best"))

    def expected_links(self):
        """What status.ini says of them."""
        at = self.status(self.place)
        return "step_" + at["step"], "step_%d" % (self.STEPS * int(at["best_epoch"]))

    def saved(self, calls):
        return [c[2] for c in calls if c[:2] == ("symlink", "checkpoints/.last.tmp")]

    def test_the_same_is_left(self):
        """Whether they are saved or not; each is where checkpoint_secs is 0, and where others are kept."""
        calls, _, left = self.undisturbed()
        self.assertEqual(self.saved(calls), ["step_3", "step_12"])
        for overrides in (("train.checkpoint_secs=0",), ("train.keep=1",)):
            with self.subTest(overrides=overrides):
                calls = self.to(0, "kill", "train", "t.ini", *overrides, status=0)
                self.assertEqual(self.saved(calls), ["step_3", "step_6", "step_9", "step_12"])
                if overrides[0] == "train.keep=1":
                    self.assertEqual(len(list(self.place.glob("checkpoints/step_*"))), len(set(self.links())) + 1)
                else:
                    self.assertEqual(self.digest(self.place), left)
                shutil.rmtree(self.place)

    def test_the_last_save_within_an_epoch_counts(self):
        calls = self.to(0, "kill", "train", "t.ini", "train.checkpoint_every=5", status=0)
        self.assertEqual(self.saved(calls), ["step_3", "step_5", "step_10", "step_12"])
        self.assertEqual(self.links(), self.expected_links())

    def test_killed(self):
        calls, links, left = self.undisturbed()
        self.assertIn("checkpoints/step_6/state", [c[1] for c in calls])
        for i in range(links[0], links[1] + 3):
            if calls[i][0] != "fsync":
                with self.subTest(before=calls[i]):
                    self.to(i + 1, "kill", "train", "t.ini", status=-signal.SIGKILL)
                    self.ends_the_same(left)

    def test_stopped(self):
        """Asked to stop between two epochs or within one, it saves where it is, and the best one."""
        calls, links, left = self.undisturbed()
        stops = [i for i in range(links[0] + 1, links[1]) if calls[i][0] == "rename" and calls[i][1].endswith("/state")]
        self.assertEqual(len(stops), 3)
        for i in stops:
            with self.subTest(at=calls[i]):
                self.to(i + 1, "stop", "train", "t.ini", status=130)
                self.assertEqual(self.links(), self.expected_links())
                self.ends_the_same(left)

    def test_a_signal_from_outside(self):
        p = self.start("train", "t.ini", "train.epochs=1000000", env={"SPUR_RUN_DIR": str(self.place)})
        table = self.place / "metrics.csv"
        self.wait_until(lambda: table.exists() and table.read_text().count("\n") > 20, p)
        p.send_signal(signal.SIGINT)
        p.communicate()
        self.assertEqual(p.returncode, 130)
        at = self.status(self.place)
        self.assertGreaterEqual(int(at["step"]), 20 * self.STEPS)
        self.assertEqual(self.links(), self.expected_links())
        kept, epochs = self.dir / "kept", "train.epochs=%d" % (int(at["epoch"]) + 1)
        self.place.rename(kept)
        left = self.undisturbed(epochs)[2]
        kept.rename(self.place)
        self.spur("resume", self.place, epochs)
        self.assertEqual(self.digest(self.place), left)

    def test_the_best_one_is_synced_before_it_is_linked(self):
        """Though it was written some epochs ago."""
        calls = self.to(0, "kill", "train", "t.ini", *self.WORSE_FROM_THE_FOURTH, status=0)
        self.assertEqual(self.links(), ("step_12", "step_9"))
        calls = [c[:2] for c in calls]
        first = calls.index(("rename", "checkpoints/step_6/weights.safetensors"))
        calls, step = calls[first:], "checkpoints/step_9"
        files = [step + "/" + name for name in ("weights.safetensors", "optimizer.safetensors", "state")]
        linked = [("fsync", step), ("fsync", "checkpoints"), ("rename", "checkpoints/best"), ("fsync", "checkpoints"),
                  ("rename", "checkpoints/last")]
        self.in_order(calls, [("rename", path) for path in files] + linked)
        for path in files:
            self.assertNotIn(("fsync", path + ".tmp"), calls)
            self.in_order(calls, [("rename", path), ("fsync", path), *linked])
        self.assertEqual([c for c in calls[:calls.index(("rename", files[2]))] if c[0] == "fsync"], [])

    def test_a_failure(self):
        """The best weights are there, and what goes on begins where it was saved."""
        left = self.undisturbed(*self.WORSE_FROM_THE_FOURTH)[2]
        self.to(0, "kill", "train", "t.ini", *self.FAILS_IN_THE_FOURTH, status=1)
        self.assertEqual((self.links(), self.expected_links()[1]), (("step_3", "step_9"), "step_9"))
        self.assertEqual(len(self.rows(self.place / "metrics.csv")), 3)
        found = self.spur("eval", self.place, "--json").json
        self.assertEqual(found["loss"], float(self.rows(self.place / "metrics.csv")[2]["val_loss"]))
        self.spur("resume", self.place, self.WORSE_FROM_THE_FOURTH[-1])
        self.assertEqual(self.digest(self.place), left)

    def test_a_full_disk(self):
        """When the best checkpoint is not whole that is to take the place of one, that one stays."""
        calls, links, left = self.undisturbed()
        waiting = [i for i in range(*links) if calls[i][0] == "rename" and calls[i][1].endswith("/state")]
        for i in range(waiting[0] + 1, links[1] + 1):
            if calls[i][0] not in ("unlink", "rmdir"):
                with self.subTest(at=calls[i]):
                    self.to(i + 1, "full", "train", "t.ini", status=1)
                    for name in self.links():
                        self.assertTrue((self.place / "checkpoints" / name / "state").exists())
                    self.ends_the_same(left)

    def test_the_end_of_its_time(self):
        """A trial ends where its time does, and that is what is saved."""
        self.write("s.ini", (self.dir / "t.ini").read_text() + "[sweep]\noptimizer.lr = 0.03\n")
        self.place, seconds = self.dir / "my_logs/s/trial_0001", 0.2
        self.spur("sweep", "s.ini", "train.epochs=1000000", "train.max_time=%g" % seconds, status=None)
        while int(self.status(self.place)["epoch"]) < 2:  # not long enough for this machine
            shutil.rmtree(self.dir / "my_logs")
            seconds *= 2
            self.spur("sweep", "s.ini", "train.epochs=1000000", "train.max_time=%g" % seconds, status=None)
        self.assertEqual(self.links(), self.expected_links())


if __name__ == "__main__":
    main()
