# SPDX-License-Identifier: MIT
# cli needs: engine
"""spur sweep looks at every configuration before it makes anything: what no trial could do is told at once."""
from harness import Cli, main

SMALL = """
[run]
name = s
logdir = logs
[data]
format = shapes
samples = 40
val_samples = 20
size = 16x16
batch_size = 10
[model]
name = my_net
[train]
epochs = 1
[log]
images = 0
worst = 0
[sweep]
"""


class SweepCheck(Cli):
    def sweep(self, space, *more, status=0):
        self.write("s.ini", SMALL + space)
        return self.spur("sweep", "s.ini", *more, status=status)

    def refused(self, space, count, *messages):
        """Both a dry run and a real one say so, and nothing is there afterwards."""
        for more in (["--dry-run"], []):
            r = self.sweep(space, *more, status=2)
            self.assertIn("spur sweep: %s configurations cannot be trained:\n" % count, r.err)
            for message in messages:
                self.assertIn(message, r.err)
            self.assertEqual(self.tree(), ["s.ini"])

    def test_data_that_are_not_there(self):
        self.write("s.ini", SMALL.replace("format = shapes\nsamples = 40\nval_samples = 20",
                                          "format = image_folder\npath = nowhere") + "optimizer.lr = 0.1, 0.01\n")
        for more in (["--dry-run"], []):
            r = self.spur("sweep", "s.ini", *more, status=2)
            self.assertIn("2 of 2 configurations", r.err)
            self.assertEqual(r.err.count("nowhere"), 2)
            self.assertEqual(self.tree(), ["s.ini"])

    def test_a_value_that_no_trial_could_use(self):
        self.refused("model.name = my_net, unet\noptimizer.lr = 0.1, 0.01\n", "2 of 4",
                     "model=unet lr=0.1: command line: model.name=unet: 'unet' answers for each pixel")
        self.refused("data.val_samples = 20, 0\ntrain.monitor = val_accuracy\nseeds = 1..2\n", "1 of 2",
                     "val_samples=0 monitor=val_accuracy: ")
        self.refused("model.freeze = conv1 | conv, fc\n", "1 of 2", "freeze=conv, fc: ", "all parameters are frozen")
        self.refused("train.metrics = accuracy | top_k(k=9)\n", "1 of 2", "found k = 9, expected at most 8")

    def test_what_only_some_trials_cannot_do(self):
        """Each value has its use: the sweep runs, and those trials fail by themselves."""
        space = "loss.name = cross_entropy, focal\naugment.mixup = 0, 0.2\n"
        self.assertIn("loss=focal mixup=0.2: ", self.sweep(space, "--dry-run", status=2).err)
        self.assertFalse((self.dir / "logs").exists())
        r = self.sweep(space, status=1)
        self.assertIn("1 of 4 configurations cannot be trained:\n  loss=focal mixup=0.2: ", r.err)
        self.assertEqual(self.spur("list", "logs/s", "--state", "done", "--json").out.count('"state":'), 3)
        self.assertNotIn("cannot be trained", self.sweep(space, status=1).err)  # it has begun: trials are all that counts

    def test_what_people_write(self):
        """An option without its section, a domain of another tool: the message has what was meant."""
        self.assertIn("s.ini:19:1: unknown option 'lr'; to vary it, write optimizer.lr\n",
                      self.sweep("lr = 0.1, 0.01\n", status=2).err)
        self.assertIn("optimizer.lr: found 'loguniform(', expected values, or one of choice(), range(), uniform() and log()",
                      self.sweep("optimizer.lr = loguniform(1e-4, 1e-1)\n", status=2).err)
        self.assertIn("optimizer.lr: found 'uniform(', expected values, or one of choice(), range(), uniform() and log() with its ')'",
                      self.sweep("optimizer.lr = uniform(0, 1\n", status=2).err)
        self.assertIn("\n1 configuration, 1 seed each: 1 trial\n", self.sweep("seeds = 1\n", "--dry-run").out)

    def test_one_value_written_twice(self):
        """Two texts of one value would be two configurations that compute the same."""
        for space, says in (("optimizer.lr = 0.1, 0.01, 1e-2", "optimizer.lr: the values '0.01' and '1e-2' are the same"),
                            ("data.size = 16, 16x16", "data.size: the values '16' and '16x16' are the same"),
                            ("train.restore_best = yes, TRUE", "train.restore_best: the values 'yes' and 'TRUE' are the same"),
                            ("optimizer.betas = 0.9, 0.99 | .9,.99", "optimizer.betas: the values '0.9, 0.99' and '.9,.99' are the same")):
            self.assertEqual(self.sweep(space + "\n", status=2).err,
                             "spur sweep: s.ini:19:%d: %s\n" % (space.index("=") + 3, says))
            self.assertEqual(self.tree(), ["s.ini"])
        self.assertIn("\n2 configurations", self.sweep("train.monitor = val_loss, loss\n", "--dry-run").out)

    def test_a_sound_sweep(self):
        r = self.sweep("data.batch_size = 5, 10\nmodel.name = my_net, mlp\n", "--dry-run")
        self.assertIn("4 configurations", r.out)
        self.assertEqual(r.err, "")
        self.sweep("data.batch_size = 5, 10\nmethod = tpe\ntrials = 2\n")


if __name__ == "__main__":
    main()
