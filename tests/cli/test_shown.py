# SPDX-License-Identifier: MIT
# cli needs: engine
"""What a run shows at its end is right: curves, answers, the worst samples, the best weights; and a resume with averages."""
from harness import main
from runs import AT_ONCE, SMALL, Run
from test_run_tools import png

BINARY = """
[data]
format = csv
path = b
task = classification
batch_size = 16
[model]
name = mlp
[loss]
name = bce
[optimizer]
lr = 0.01
[train]
epochs = 20
metrics = accuracy
[log]
embeddings = 90
"""

PICTURES = """
[data]
format = image_folder
path = p
batch_size = 4
[model]
name = cnn
filters = 2
norm = none
[optimizer]
lr = 0
[train]
epochs = 1
[log]
images = 0
worst = 1
"""


class Shown(Run):
    def test_a_binary_run(self):
        """The projector's answers are those that the accuracy counts, the curve's counts add up."""
        for part in ("train", "val"):
            self.write("b/%s.csv" % part, "x,y,kind\n" + "".join(
                "%d,%d,%s\n" % (i % 9, i % 5, "no" if i % 9 < 5 else "yes") for i in range(90)))
        self.write("a.ini", BINARY)
        run = self.train()
        points = (run / "validation/projector").glob("*/metadata.tsv")
        pairs = [line.split("\t") for line in next(points).read_text().splitlines()[1:]]
        best = max(float(row["val_accuracy"]) for row in self.rows(run / "metrics.csv"))
        self.assertGreater(best, 0.9)
        self.assertAlmostEqual(sum(a == b for a, b in pairs) / len(pairs), best)
        curve = self.spur("export", run, "--kind", "pr_curve").rows
        counts = [[int(float(r[kind + "_positives"])) for kind in ("true", "false")] +
                  [int(float(r[kind + "_negatives"])) for kind in ("true", "false")] for r in curve]
        self.assertEqual(counts[0], [40, 50, 0, 0])  # at 0 everything is taken for positive
        self.assertTrue(all(c[0] + c[3] == 40 and c[1] + c[2] == 50 for c in counts))

    def test_tables_of_odd_names(self):
        """Names and values stay in their cell of the Text tab's tables."""
        for part in ("train", "val"):
            self.write("b|`/%s.csv" % part, "x,kind\n" + "".join("%d,\"%s\"\n" % (i, "y|n" if i % 2 else "a_b") for i in range(16)))
        self.write("a.ini", BINARY.replace("path = b", "path = b|`"))
        run = self.train("train.epochs=1")
        texts = {r["tag"]: r["text"] for r in self.spur("export", run, "--kind", "text", "--json").json}
        self.assertIn("\n|  | path | **<code>b\\|\\`</code>** |\n", texts["config"])
        self.assertIn("\n|  | task | **`classification`** |\n", texts["config"])
        self.assertIn("\n| a\\_b | 8 | 50.00 % |", texts["data/class_table"])
        self.assertIn("\n| y\\|n | 8 | 50.00 % |", texts["data/class_table"])

    def test_the_worst_sample(self):
        """It is the same one in whatever order the samples come."""
        sheets = []
        for order in (1, -1):
            for label, tint in (("dark", 10), ("light", 90)):
                for i in range(4):
                    self.write("p/train/%s/%d.png" % (label, i), png(8, 8, lambda x, y: (tint + x, y, i)))
                    self.write("p/val/%s/%d.png" % (label, 5 + order * i),
                               png(8, 8, lambda x, y: (tint + 20 * i, 60 * i, 250 - 60 * i)))
            self.write("a.ini", PICTURES)
            run = self.train()
            listed = self.spur("export", run, "--tag", "images/worst", "--kind", "image", "-o", run / "pictures").rows
            sheets.append((self.dir / listed[0]["file"]).read_bytes())
        self.assertEqual(*sheets)

    def test_the_best_weights_at_the_end(self):
        self.write("a.ini", SMALL)
        lines = self.spur("train", "a.ini", "train.monitor=val_loss", "scheduler.name=constant", "optimizer.name=sgd",
                          "optimizer.lr=3", "train.clip_norm=1", "train.epochs=6", "--json").json_lines
        best = [l for l in lines if l["event"] == "epoch" and l["best"]][-1]
        self.assertLess(best["epoch"], 6)
        self.assertEqual(lines[-1]["val_loss"], best["val_loss"])

    def test_averages_after_a_stop(self):
        self.write("a.ini", SMALL)
        whole = self.digest(self.train("train.ema=0.9"))
        run = self.train("train.ema=0.9", "train.max_time=" + AT_ONCE)
        self.assertEqual(self.status(run)["state"], "interrupted")
        self.spur("resume", run, "train.max_time=")
        self.assertEqual(self.digest(run), whole)


if __name__ == "__main__":
    main()
