# SPDX-License-Identifier: MIT
# cli needs: engine
"""spur list, show, rm and restore on runs as they are found, of which only the files count."""
import os
import re
import time

from harness import Cli, main


class KeptRuns(Cli):
    def make(self, name, more="", age=0):
        """A run that is done, and was so many seconds ago."""
        path = self.write("logs/%s/status.ini" % name, "[status]\nstate = done\nepoch = 3\n" + more)
        os.utime(path, (time.time() - age,) * 2)

    def names(self, *flags):
        return [r["name"] for r in self.spur("list", "logs", "--csv", *flags).rows]

    def test_list_takes_what_is_asked_for(self):
        for name, age in (("b", 50), ("c_1", 600), ("c_2", 7200), ("d", 259200)):
            self.make(name, age=age)
        self.spur("tag", "logs/c_1", "kept")
        self.spur("tag", "logs/d", "kept_too")
        self.assertEqual(self.names("--tag", "kept"), ["c_1"])
        self.assertEqual(self.names("--match", "c_*"), ["c_1", "c_2"])
        self.assertEqual(self.names("--match", "c_*", "--tag", "kept_too"), [])
        self.assertEqual(self.names("--state", "failed"), [])
        ages = {line.split()[0]: line.split()[3] for line in self.spur("list", "logs").out.splitlines()[1:]}
        self.assertRegex(ages.pop("b"), r"^[5-9]\ds$")
        self.assertEqual(ages, {"c_1": "10m", "c_2": "2h", "d": "3d"})

    def test_list_without_a_best_value(self):
        self.make("a")
        self.make("b", "monitor = val_loss\ndirection = min\nbest = 0.25\nbest_epoch = 2\n")
        self.assertEqual([r["best"] for r in self.spur("list", "logs", "--json").json], [None, 0.25])
        self.assertEqual([line.split()[4:] for line in self.spur("list", "logs").out.splitlines()[1:]], [["-"], ["val_loss", "0.25"]])
        self.assertIn("expected one format at most", self.spur("list", "logs", "--json", "--csv", status=2).err)

    def test_show(self):
        self.make("a", "monitor = val_loss\ndirection = min\nbest = 0.25\nbest_epoch = 2\nmessage = it went well\n")
        for name, text in (("config.ini", "[train]\nepochs = 3\nema = 0\n"), ("overrides.ini", "[train]\nepochs = 3\n"),
                           ("metrics.csv", "epoch,step,loss\n1,10,4\n2,20,2\n3,30,1\n"), ("env.ini", "cores = 2\n")):
            self.write("logs/a/" + name, text)
        self.spur("note", "logs/a", "the first one")
        self.spur("tag", "logs/a", "old", "good")
        shown = self.spur("show", "logs/a").out
        self.assertTrue(shown.startswith("logs/a: done, 3 epochs, best val_loss 0.25 (epoch 2)\n  it went well\n  tags: "), shown)
        self.assertIn("\nChanged options\n  [train]\n  epochs = 3\n\n", shown)
        self.assertIn("\nEnvironment\n  cores = 2\n\nNotes\n  the first one\n", shown)
        self.assertRegex(shown, r"\nloss\n +4 .*(\n .*){4}\n +1 .*\n +1 +3\n")
        self.assertNotIn("ema", shown)
        self.assertIn("\nConfiguration\n  [train]\n  epochs = 3\n  ema = 0\n\n", self.spur("show", "logs/a", "--config").out)
        self.write("logs/a/status.ini", "[status]\nstate = done\nepoch = 1\n")
        self.assertTrue(self.spur("show", "logs/a").out.startswith("logs/a: done, 1 epoch\n"))

    def test_trash(self):
        """What can be removed is, of runs of one name the last comes back first, and what is purged never."""
        for name in "ab":
            self.make(name)
        self.assertIn("nowhere: neither a run nor a sweep", self.spur("rm", "logs/a", "logs/nowhere", "logs/b", status=2).err)
        self.assertEqual(self.names(), [])
        self.make("a", "message = the second\n")
        self.spur("rm", "logs/a")
        self.assertEqual(self.spur("restore", "--logdir", "logs").out, "0001-a\n0001-b\n0002-a\n")
        self.spur("restore", "--logdir", "logs", "a")
        self.assertIn("the second", self.spur("show", "logs/a").out)
        self.assertIn("logs/a: exists again", self.spur("restore", "--logdir", "logs", "a", status=1).err)
        self.assertIn("c: not in ./.spur-trash", self.spur("restore", "--logdir", "logs", "c", status=2).err)
        self.assertIn("expected runs, or --purge", self.spur("rm", "--purge", "logs", "logs/a", status=2).err)
        self.assertEqual(self.spur("rm", "--purge", "logs").out, "./.spur-trash is empty\n")
        self.assertFalse((self.dir / ".spur-trash").exists())
        self.assertEqual(self.spur("restore", "--logdir", "logs").out, "(the trash is empty)\n")
        self.assertEqual(self.names(), ["a"])


if __name__ == "__main__":
    main()
