# SPDX-License-Identifier: MIT
# cli needs: engine
"""method = best: what a search found, once more with other seeds."""
import shlex
import shutil

from harness import main
from sweeps import SweepCli

AGAIN = "method = best\nbest_of = logs/search\ntrials = 2\n"


class Best(SweepCli):
    def search(self, **more):
        self.spur("sweep", self.ini(name="search", lr="1e-4, 1e-1, 3e-2, 1e-2, 10", seeds="1", **more), status=1)

    def test_the_command_that_a_search_prints(self):
        r = self.spur("sweep", self.ini(name="my search", lr="1e-1, 3e-2, 1e-2", seeds="1", more="pruner = median\n"))
        command = r.out.split("did not choose them:\n", 1)[1].replace("\\\n", " ")
        words = shlex.split(command)
        self.assertEqual(words[:2], ["spur", "sweep"])
        self.assertIn("sweep.pruner=none", words)
        self.spur(*words[1:])
        self.assertEqual([x["seed"] for x in self.results("my search_best")], 3 * ["101", "102", "103", "104", "105"])
        self.assertNotIn("once more", self.spur("sweep", self.ini()).out)

    def test_the_best_of_a_search(self):
        self.search()
        r = self.spur("sweep", self.ini(lr="log(1e-5, 1)", seeds="11..13", more=AGAIN))
        self.assertEqual([(x["param.lr"], x["seed"]) for x in self.results()],
                         [(lr, s) for lr in ("1e-2", "3e-2") for s in ("11", "12", "13")])
        self.assertIn("Best val_loss: lr=1e-2: ", r.out)
        self.assertIn("lr=3e-2", r.out.split("Really worse", 1)[1])

    def test_it_goes_on_without_the_other(self):
        """Everything that it needs is in its own directory once it has begun."""
        self.search()
        self.spur("sweep", self.ini(seeds="11", more=AGAIN))
        before = [x["param.lr"] for x in self.results()]
        shutil.rmtree(self.dir / "logs/search")
        for trial in (self.dir / "logs/s").glob("trial_0002*"):
            shutil.rmtree(trial)
        self.spur("sweep", "s.ini")
        self.assertEqual([x["param.lr"] for x in self.results()], before)
        self.assertIn("lr=1e-2", self.spur("compare", "logs/s").out)

    def test_fewer_than_wanted(self):
        """What failed has no value and is not taken."""
        self.search()
        self.spur("sweep", self.ini(seeds="11", more=AGAIN.replace("2", "9")))
        self.assertEqual([x["param.lr"] for x in self.results()], ["1e-2", "3e-2", "1e-1", "1e-4"])

    def test_dry_run(self):
        self.search()
        r = self.spur("sweep", self.ini(seeds="11..12", more=AGAIN), "--dry-run")
        self.assertEqual(r.out, "   1  lr=1e-2\n   2  lr=3e-2\n2 configurations, 2 seeds each: 4 trials\n")
        self.assertFalse((self.dir / "logs/s").exists())

    def test_refusals_make_nothing(self):
        self.search()
        cases = [
            ("11", AGAIN.replace("logs/search", "logs/other"), "sweep.best_of: logs/other: no sweep there"),
            ("11", AGAIN.replace("best_of = logs/search\n", ""), "method = best needs `best_of = SWEEP`"),
            ("11", AGAIN.replace("trials = 2\n", ""), "method = best needs `trials = N`"),
            ("0..3", AGAIN, "seed 1 has chosen its configurations; expected seeds that it did not have"),
            ("11", AGAIN + "param.epochs = 3, 4\n", "sweep.best_of = logs/search does not vary param.epochs"),
        ]
        for seeds, more, message in cases:
            with self.subTest(message):
                r = self.spur("sweep", self.ini(seeds=seeds, more=more), status=2)
                self.assertIn(message, r.err)
                self.assertFalse((self.dir / "logs/s").exists())
        r = self.spur("sweep", self.ini(seeds="11", more=AGAIN), "param.lr=0.1", status=2)
        self.assertIn("sweep.best_of = logs/search varies param.lr, which is not varied here", r.err)

    def test_nothing_has_a_value(self):
        self.spur("sweep", self.ini(name="search", lr="10", seeds="1"), status=1)
        r = self.spur("sweep", self.ini(seeds="11", more=AGAIN), status=2)
        self.assertIn("sweep.best_of = logs/search: no trial of it has a value", r.err)


if __name__ == "__main__":
    main()
