# SPDX-License-Identifier: MIT
# cli needs: engine
"""What a run shows at its end is right: curves, answers, the worst samples, the best weights; and a resume with averages."""
from harness import main
from media import png
from runs import AT_ONCE, SMALL, Run

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


# Steps so long, and longer from epoch to epoch, that an early one is the best by far.
GETTING_WORSE = ("scheduler.name=exponential", "scheduler.gamma=3", "optimizer.name=sgd", "optimizer.lr=0.3", "train.clip_norm=1")


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
        texts = {r["tag"]: r["text"] for r in self.spur("export", run, "--kind", "text", "--json").json}
        self.assertRegex(texts["classification_report"], r"\n +no .* 50\n +yes .* 40\n")

    def test_sounds(self):
        """The first ones of the validation, as they are and what they were taken for."""
        self.write("a.ini", "[data]\nformat = tones\nsamples = 8\nval_samples = 4\nseconds = 0.1\nsample_rate = 4000\n[model]\n"
                            "name = cnn\nfilters = 2\n[train]\nepochs = 1\n[log]\naudio = 2\nimages = 0\nworst = 0\n")
        run = self.train()
        listed = self.spur("export", run, "--kind", "audio", "-o", "sounds").rows
        self.assertEqual([(r["run"], r["tag"], r["step"]) for r in listed],
                         [("validation", "audio/sample_%d" % i, "1") for i in range(2)])
        self.assertEqual([(self.dir / r["file"]).stat().st_size for r in listed], [44 + 2 * 400] * 2)
        self.assertEqual(self.spur("export", self.train("log.audio=0"), "--kind", "audio", "-o", "none", status=None).rows, [])

    def test_a_run_of_three_classes(self):
        """Curves, report and answers of one pass, with the best weights."""
        kinds = "aaaabbbcc"
        for part in ("train", "val"):
            self.write("b/%s.csv" % part, "x,y,kind\n" + "".join("%d,%d,%s\n" % (i % 9, i % 5, kinds[i % 9]) for i in range(90)))
        self.write("a.ini", BINARY.replace("bce", "cross_entropy").replace("epochs = 20", "epochs = 4"))
        said = self.spur("train", "a.ini", "optimizer.lr=0.002", "train.metrics=accuracy, recall(class=2)", env={"SPUR_RUN_DIR": "run"}).out
        run = self.dir / "run"
        points = next((run / "validation/projector").glob("*/metadata.tsv")).read_text().splitlines()
        pairs = [line.split("\t") for line in points[1:]]
        self.assertEqual([truth for truth, _ in pairs], [kinds[i % 9] for i in range(90)])
        answered = [answer for _, answer in pairs]
        self.assertGreater(len(set(answered)), 1)
        curves = self.spur("export", run, "--kind", "pr_curve").rows
        self.assertEqual({(r["tag"], r["step"]) for r in curves}, {("pr_curve/" + k, "4") for k in "abc"})
        for kind, share in ("a", 40), ("b", 30), ("c", 20):
            rows = [r for r in curves if r["tag"] == "pr_curve/" + kind]
            counts = [[float(r[name]) for name in ("true_positives", "false_positives", "true_negatives", "false_negatives")]
                      for r in rows]
            for before, now in zip([[share, 90 - share, 0, 0]] + counts, counts):
                self.assertEqual([now[0] + now[3], now[1] + now[2]], [share, 90 - share])
                self.assertTrue(now[0] <= before[0] and now[1] <= before[1])
            # above a half it is the answer, and no other is; the answer has a third at least
            half = next(c for r, c in zip(rows, counts) if float(r["threshold"]) >= 0.5)
            third = next(c for r, c in zip(rows, counts) if float(r["threshold"]) >= 0.33)
            self.assertLessEqual(half[0], sum(p == [kind, kind] for p in pairs))
            self.assertGreaterEqual(third[0], sum(p == [kind, kind] for p in pairs))
        report = next(r for r in self.spur("export", run, "--kind", "text", "--json").json if r["tag"] == "classification_report")
        self.assertEqual(report["step"], 4)
        lines = {words[0]: words[1:] for words in map(str.split, report["text"].splitlines()) if words}
        self.assertEqual([lines[kind][3] for kind in "abc"], ["40", "30", "20"])
        for kind in "abc":
            self.assertEqual(lines[kind][1], "%.4f" % (sum(p == [kind, kind] for p in pairs) / int(lines[kind][3])))
        # what is said at the end is of the same pass
        right = sum(a == b for a, b in pairs) / 90
        self.assertIn("\n  accuracy             %.4f\n  recall_class_2       %s\n" % (right, lines["c"][1]), said)
        self.assertIn("  validation, best weights\n", said)
        best = max(self.rows(run / "metrics.csv"), key=lambda r: float(r["val_accuracy"]))
        self.assertIn("Best val_accuracy: %.4f, epoch %s\n" % (float(best["val_accuracy"]), best["epoch"]), said)
        self.assertEqual([r["status"] for r in self.spur("export", run, "--kind", "hparams").rows], ["success"])

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
        for options in (), ("train.ema=0.3",):
            lines = self.spur("train", "a.ini", "train.monitor=val_loss", *GETTING_WORSE, "train.epochs=6",
                              "train.metrics=accuracy, recall(class=1)", *options, "--json").json_lines
            best = [l for l in lines if l["event"] == "epoch" and l["best"]][-1]
            self.assertLess(best["epoch"], 6)
            end = lines[-1]
            self.assertEqual([end[name] for name in ("val_loss", "val_accuracy", "val_recall_class_1", "best", "best_epoch",
                                                        "epochs", "steps")],
                             [best["val_loss"], best["val_accuracy"], best["val_recall_class_1"], best["val_loss"], best["epoch"],
                              6, 60])
            self.assertNotEqual(end["val_accuracy"], end["val_recall_class_1"])

    def test_the_last_weights_at_the_end(self):
        """Where that is asked for; of an epoch that was not the best one."""
        self.write("a.ini", SMALL)
        said = self.spur("train", "a.ini", "train.restore_best=false", "train.monitor=val_loss", *GETTING_WORSE,
                         "train.epochs=20", "train.early_stopping=3", "log.report=false").out
        run = self.run_dirs()[0]
        rows = self.rows(run / "metrics.csv")
        best = min(rows, key=lambda r: float(r["val_loss"]))
        self.assertEqual(int(best["epoch"]), len(rows) - 3)
        self.assertNotEqual(best["epoch"], "3")
        self.assertIn("\nStopped early: no better val_loss for 3 epochs.\nTrained %d epochs (%d steps) in 0:" % (len(rows), 10 * len(rows)), said)
        self.assertIn("\nBest val_loss: %.4f, epoch %s\n\n  validation, last weights\n" % (float(best["val_loss"]), best["epoch"]), said)
        self.assertIn("\n  loss                 %.4f\n" % float(rows[-1]["val_loss"]), said)
        self.assertIn("/checkpoints/best/weights.safetensors\n", said)
        self.assertNotIn("classification_report", self.spur("inspect", run).out)

    def test_averages_after_a_stop(self):
        self.write("a.ini", SMALL)
        whole = self.digest(self.train("train.ema=0.9"))
        run = self.train("train.ema=0.9", "train.max_time=" + AT_ONCE)
        self.assertEqual(self.status(run)["state"], "interrupted")
        self.spur("resume", run, "train.max_time=")
        self.assertEqual(self.digest(run), whole)


if __name__ == "__main__":
    main()
