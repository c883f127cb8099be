# SPDX-License-Identifier: MIT
# cli needs: engine
"""What is done with a trained run: eval, summary; and lr-find before it."""
import csv
import math
import shutil
import signal
import struct

from harness import Cli, main
from media import png, png_rows
from runs import SHAPES, Trained


class Tools(Trained):
    def test_eval_repeats_the_run_s_own_figures(self):
        run = self.train(SHAPES)
        rows = self.table(run / "metrics.csv")
        found = self.spur("eval", run, "--weights", "last", "--json").json
        (self.dir / run / "checkpoints/best").rename(self.dir / "best")  # so a run is left that no epoch has ended in
        for command in ("eval", run), ("onnx", run), ("predict", run, "x.png"):
            self.assertIn("no best checkpoint, no epoch has ended; --weights last takes what there is\n",
                          self.spur(*command, status=2).err)
        (self.dir / "best").rename(self.dir / run / "checkpoints/best")
        self.assertEqual(found["loss"], float(rows[-1]["val_loss"]))
        self.assertEqual(found["accuracy"], float(rows[-1]["val_accuracy"]))
        best = self.spur("eval", run, "--json").json
        self.assertEqual(best["accuracy"], max(float(r["val_accuracy"]) for r in rows))
        test = self.spur("eval", run, "--split", "test", "--json").json
        self.assertEqual(test["samples"], 24)
        self.assertTrue(self.spur("eval", run).out.startswith("%s, best weights, 40 samples of 'val'\n\n  loss  " % run))
        run = self.train(SHAPES, "train.ema=0.5")  # the averages are the weights that are measured
        self.assertEqual(self.spur("eval", run, "--weights", "last", "--json").json["loss"],
                         float(self.table(run / "metrics.csv")[-1]["val_loss"]))
        self.assertIn("expected val, test or train", self.spur("eval", run, "--split", "x", status=2).err)

    def test_eval_on_other_data(self):
        """Brighter pictures than in the training: normalised as there, as predict does it; the classes must be the same."""
        for set_, light in (("old", 0), ("new", 120)):
            for label, tint in (("dark", 10), ("light", 90)):
                for split in ("train", "val"):
                    for i in range(4):
                        self.write("%s/%s/%s/%d.png" % (set_, split, label, i),
                                   png(8, 8, lambda x, y: (light + tint + 3 * x, light + 3 * y, light + i)))
        run = self.train("[data]\nformat = image_folder\npath = old\nbatch_size = 4\n[model]\nname = cnn\nfilters = 4\n"
                         "norm = none\n[train]\nepochs = 6\n")
        measured = self.spur("eval", run, "data.path=new", "--json").json
        answers = self.spur("predict", run, "new/val/dark", "new/val/light", "--json").json_lines
        shares = [a["values"]["light" in a["file"]] for a in answers]
        self.assertAlmostEqual(measured["loss"], -sum(map(math.log, shares)) / 8, places=4)
        (self.dir / "new/train/light").rename(self.dir / "new/train/bright")
        (self.dir / "new/val/light").rename(self.dir / "new/val/bright")
        self.assertIn("2 classes then, 2 now; class 0: 'dark' then, 'bright' now",
                      self.spur("eval", run, "data.path=new", status=2).err)

    def test_odd_names_of_classes(self):
        """data.ini gives them back as they were, or eval and resume would say that the data are others."""
        names = [" blanks ", "#1", "back\\x23slash", "c; d # e", "plain", "\u65e5\u672c"]
        for name in names:
            for i in range(3):
                self.write("odd/%s/%d.png" % (name, i), png(8, 8, lambda x, y: (x, y, i)))
        run = self.train("[data]\nformat = image_folder\npath = odd\nbatch_size = 4\n[model]\nname = cnn\nfilters = 2\n"
                         "[train]\nepochs = 1\n")
        self.spur("eval", run)
        self.spur("resume", run, "train.epochs=2")
        answer = self.spur("predict", run, "odd/plain/0.png", "--json").json
        self.assertIn(answer["label"], names)
        rows = (run / "predictions/predictions.csv").read_text().splitlines()
        self.assertEqual(next(csv.reader(rows)), ["file", "label"] + names)

    def test_a_run_on_very_wide_tables(self):
        """The means of all columns are one line of data.ini."""
        rows = [",".join("%.9f" % ((i * 7919 + c * 104729) % 1000 / 997) for c in range(5001)) for i in range(8)]
        self.write("wide.csv", "\n".join(rows) + "\n")
        run = self.train("[data]\nformat = csv\npath = wide.csv\n[model]\nname = mlp\nwidth = 2\n[loss]\nname = mse\n"
                         "[train]\nepochs = 1\n")
        self.spur("eval", run)
        self.spur("resume", run, "train.epochs=2")

    def test_what_is_no_run_is_named(self):
        self.write("a.ini", SHAPES)
        self.write("picture.png", png(8, 8, lambda x, y: (x, y, 0)))
        self.write("photos/notes.txt", "no run")
        for command in (["eval"], ["predict"], ["resume"], ["show"], ["compare"]):
            pictures = ["picture.png"] if command == ["predict"] else []
            for place, found in (("nowhere", "found nothing (No such file or directory)"), ("a.ini", "found a file"),
                                 ("photos", "found a directory without ")):
                says = self.spur(*command, place, *pictures, status=2).err
                self.assertIn("spur %s: %s: no run there: %s" % (command[0], place, found), says)
                self.assertRegex(says, "expected (a run's directory|that of a run)")
        self.assertFalse((self.dir / "photos/predictions").exists())

    def tiled(self, *options):
        """A set of pictures larger and smaller than a tile, and a run trained on it."""
        for i, (w, h) in enumerate([(70, 45), (33, 45), (20, 60), (64, 32), (50, 50)]):
            for split in ("train", "val"):
                self.write("set/%s/images/%d.png" % (split, i),
                           png(w, h, lambda x, y: ((x * 7 + i * 9) % 256, 220 if (x // 9 + y // 7) % 2 else 30, 90)))
                self.write("set/%s/masks/%d.png" % (split, i),
                           png(w, h, lambda x, y: ((x // 9 + y // 7) % 2,), channels=1))
        return self.train("[data]\nformat = segmentation\npath = set\ntile = 32\noverlap = 8\nbatch_size = 4\n"
                          "[model]\nname = unet\nbase_filters = 4\ndepth = 2\n[optimizer]\nname = adam\nlr = 0.01\n"
                          "[train]\nepochs = 3\n", *options)

    def agreement(self, folder):
        """Right pixels of predicted masks against the set's: share, and IoU of class 1."""
        counts = [[0, 0], [0, 0]]
        for i in range(5):
            truth, answer = (png_rows(p) for p in (self.dir / ("set/val/masks/%d.png" % i),
                                                   self.dir / folder / ("%d_mask.png" % i)))
            for t, a in zip(sum(truth, []), sum(answer, [])):
                counts[t][a] += 1
        return ((counts[0][0] + counts[1][1]) / sum(map(sum, counts)),
                counts[1][1] / (counts[0][1] + counts[1][0] + counts[1][1]))

    def losses_one_by_one(self, run):
        """Of the set's pictures, each of which is the only one of a set, and of its split for tests."""
        for i in range(5):
            for kind in ("images", "masks"):
                for split in ("train", "val", "test"):
                    self.write("one/%s/%s/0.png" % (split, kind), b"")
                    shutil.copy(self.dir / ("set/val/%s/%d.png" % (kind, i if split == "test" else 0)),
                                self.dir / "one" / split / kind / "0.png")
            measured = self.spur("eval", run, "data.path=one", "--split", "test", "--json").json
            self.assertEqual(measured["samples"], 1)
            yield measured["loss"]

    def test_eval_measures_whole_pictures_as_predict_blends_them(self):
        for options in ((), ("loss.name=bce_dice",), ("data.size=16x16",), ("data.size=32x16",), ("data.size=16x32",)):
            with self.subTest(options=options):
                run = self.tiled("train.metrics=pixel_accuracy, iou(class=1)", *options)
                found = self.spur("eval", run, "--json").json
                self.spur("predict", run, "set/val/images", "--output", "out")
                accuracy, iou = self.agreement("out")
                self.assertEqual(found["samples"], 5)
                self.assertAlmostEqual(found["pixel_accuracy"], accuracy, places=6)
                self.assertAlmostEqual(found["iou_class_1"], iou, places=6)
                self.assertGreater(accuracy, 0.7)
                said = self.spur("eval", run).out
                self.assertIn("5 whole pictures of 'val'\nin tiles of 32 pixels, blended over 8\n", said)
                self.assertIn("macro avg", said)
                self.assertAlmostEqual(found["loss"], sum(self.losses_one_by_one(run)) / 5, places=6)
        # other seams, other answers: the overlap of the configuration is what is blended
        other = self.spur("eval", run, "--json", "data.overlap=0").json
        self.assertNotEqual(found["loss"], other["loss"])

    def test_whole_pictures_of_one_tile_give_the_training_s_own_figures(self):
        """Also where the network is sure of what is wrong, some pixels do not count, and classes have weights."""
        for i in range(4):
            self.write("set/images/%d.png" % i, png(32, 32, lambda x, y: (x * 7, y * 7, i * 50)))
            self.write("set/masks/%d.png" % i, png(32, 32, lambda x, y: (2 if y < 4 else int(x > y + 8 * i),), channels=1))
        base = ("[data]\nformat = segmentation\npath = set\ntile = 32\nval_split = 0.5\nbatch_size = 1\nignore_index = 2\n"
                "[model]\nname = unet\nbase_filters = 4\ndepth = 2\n[optimizer]\nlr = 0.02\n[train]\nepochs = 30\n"
                "checkpoint_every = 0\n[log]\nimages = 0\n[loss]\nname = %s\n")
        losses = set()
        for loss, *more in (("cross_entropy",), ("cross_entropy", "balance.method=class_weights"), ("bce_dice",), ("bce",),
                            ("focal",), ("dice",)):
            run = self.train(base % loss, *more)
            found = self.spur("eval", run, "--weights", "last", "--json").json
            self.assertAlmostEqual(found["loss"], float(self.table(run / "metrics.csv")[-1]["val_loss"]), places=5)
            losses.add(found["loss"])
        self.assertGreater(max(losses), 1)

    def test_summary_lists_layers(self):
        self.write("a.ini", SHAPES)
        shown = self.spur("summary", "a.ini", "data.size=48x48", "data.classes=8").out
        self.assertIn("18496", shown.replace(",", "").replace(" ", ""))
        self.assertNarrow(shown)

    def test_lr_find_stopped_by_a_signal(self):
        """It says so and suggests nothing from half of the rates."""
        self.write("shapes.ini", SHAPES)
        process = self.start("lr-find", "shapes.ini", "--steps", "1000000")
        self.wait_until(lambda: list(self.dir.glob("my_logs/*/overrides.ini")), process)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
        self.assertEqual(process.returncode, 130, err)
        self.assertIn(b"spur lr-find: interrupted", err)
        self.assertNotIn(b"Suggestion", out)
        self.assertEqual([r["state"] for r in self.spur("list", "--csv").rows], ["interrupted"])

    def test_lr_find(self):
        lines = ["%d,%d,%d" % (i % 7, i % 5, 3 * (i % 7) - 2 * (i % 5)) for i in range(200)]
        self.write("t.csv", "a,b,y\n" + "\n".join(lines) + "\n")
        self.write("a.ini", "[data]\nformat = csv\npath = t.csv\nbatch_size = 32\n[model]\nname = mlp\n"
                            "[loss]\nname = mse\n[optimizer]\nname = sgd\n")
        found = self.spur("lr-find", "a.ini", "run.name=probe", "--steps", "60", "--json").json
        self.assertTrue(found["run"].endswith("_probe_lr_find"), found)
        run = self.dir / found["run"]
        self.assertTrue(1e-4 < found["suggestion"] < 1, found)
        rows = self.table(run / "lr_find.csv")
        self.assertAlmostEqual(float(rows[0]["learning_rate"]), 1e-5)
        ratio = float(rows[1]["learning_rate"]) / float(rows[0]["learning_rate"])
        self.assertAlmostEqual(ratio, 1e6 ** (1 / 59), places=6)
        self.assertEqual((run / "lr_find.png").read_bytes()[:4], b"\x89PNG")
        logged = self.spur("export", run).rows
        for name in ("learning_rate", "loss", "smoothed_loss"):
            self.assertEqual([(r["step"], float(r["value"])) for r in logged if r["tag"] == "lr_find/" + name],
                             [(r["step"], struct.unpack("f", struct.pack("f", float(r[name])))[0]) for r in rows])
        # it is where the smoothed loss falls fastest, before it is lowest; the first and the last steps do not count
        smooth, cut = [float(r["smoothed_loss"]) for r in rows], len(rows) // 20
        inner = range(cut + 1, len(rows) - cut)
        falling = range(cut + 1, min(inner, key=lambda i: smooth[i]))
        steepest = min(falling, key=lambda i: smooth[i + 1] - smooth[i - 1])
        self.assertEqual(found["suggestion"], float(rows[steepest]["learning_rate"]))
        # four times the best is an explosion, after which there is nothing to see
        self.assertLess(len(rows), 60)
        for i in range(11, len(rows) - 1):
            self.assertLessEqual(smooth[i], 4 * min(smooth[:i]))
        for seed in "123":  # a loss that rises a little at first is no end of the curve
            shown = self.spur("lr-find", "a.ini", "--steps", "60", "run.seed=" + seed, "data.batch_size=4").out
            *drawing, low_high, mark, blank, suggestion, plot = shown.rstrip().splitlines()
            low, high = map(float, low_high.split())
            self.assertLess(low, 1.1e-5)
            self.assertGreater(high, 0.01)
            self.assertEqual(mark.split()[1], suggestion.split()[-1])
            self.assertNarrow("\n".join(drawing + [low_high, mark]))
        for given, told in ((("--min-lr", "1", "--max-lr", "0.1"), "--min-lr 1, --max-lr 0.1 and --steps 500"),
                            (("--steps", "9"), "--min-lr 1e-5, --max-lr 10 and --steps 9")):
            self.assertIn("spur lr-find: found %s, expected 0 < --min-lr < --max-lr < 1e6 and 10 to 1000000 --steps\n" % told,
                          self.spur("lr-find", "a.ini", *given, status=2).err)


class Compare(Cli):
    def setUp(self):
        super().setUp()
        self.write("shapes.ini", SHAPES)
        self.spur("train", "shapes.ini", "train.epochs=2", env={"SPUR_RUN_DIR": "logs/a"})

    def test_a_seed_counts_once(self):
        self.spur("train", "shapes.ini", "train.epochs=2", env={"SPUR_RUN_DIR": "logs/b"})
        self.spur("train", "shapes.ini", "train.epochs=2", "run.seed=2", env={"SPUR_RUN_DIR": "logs/c"})
        r = self.spur("compare", "logs/a", "logs/b", "logs/c")
        self.assertIn("(n = 2)", r.out)
        self.assertIn("Left out: 1 run with the seed and the configuration of another.", r.out)
        self.assertEqual(self.spur("compare", "logs/a", "logs/b", "--json").json["repeated"], 1)
        self.assertNotIn("Left out", self.spur("compare", "logs/a", "logs/c").out)
        orders = (("logs/a", "logs/c"), ("logs/c", "logs/a"))
        one, other = (self.spur("compare", *runs, "--json").json["configurations"][0]["values"] for runs in orders)
        self.assertEqual(one, other)  # seeds have one order, so that they can be compared one by one

    def test_range_tests_are_no_trainings(self):
        self.spur("lr-find", "shapes.ini", "--steps", "12", "run.logdir=found")
        found = str(next((self.dir / "found").iterdir()))
        r = self.spur("compare", found, "logs/a", "--json")
        self.assertEqual(len(r.json["configurations"]), 1)
        self.assertEqual(r.err, "spur compare: %s: left out, it is no training but lr-find's\n" % found)
        self.assertIn("expected runs or a sweep", self.spur("compare", found, status=2).err)

    def test_list_knows_its_states(self):
        self.assertIn("--state: found 'bogus'", self.spur("list", "logs", "--state", "bogus", status=2).err)
        self.assertEqual(len(self.spur("list", "logs", "--state", "done", "--json").json), 1)
        self.assertEqual(self.spur("list", "logs", "--state", "sweep", "--json").json, [])
        self.assertEqual(self.spur("list", "logs", "--state", "sweep").out.splitlines()[1], "(none)")
        (self.dir / "logged").mkdir()
        self.assertIn("`spur inspect logged`", self.spur("list", "logged").out)

    def test_list_keeps_to_the_terminal(self):
        """Long names, monitors and tags are cut there, the best value is not; and nowhere else is anything."""
        status = "[status]\nstate = done\nepoch = 12\nmonitor = %s\ndirection = max\nbest = 0.912345\n"
        long = "name_" * 20
        for name, monitor in ((long, "intersection_" * 5), ("\u5b66" * 30, "val_accuracy"), ("a", "val_loss")):
            self.write("logs/%s/status.ini" % name, status % monitor)
            self.spur("tag", "logs/" + name, "baseline", *("tag_%d" % i for i in range(20)))
        for columns in (80, 60, 30):
            shown = self.on_terminal("list", "logs", columns=columns)
            for line in shown.splitlines():
                self.assertLessEqual(len(line) + line.count("\u5b66"), columns, line)
            self.assertEqual(shown.count(" 0.9123"), 3 if columns > 30 else 0, shown)
        self.assertIn("val_accuracy 0.9123  ...\n", self.on_terminal("list", "logs"))
        self.assertIn("val_loss 0.9123  [bas...\n", self.on_terminal("list", "logs"))
        piped = self.spur("list", "logs").out
        self.assertEqual(len({line.index(" done ") + line.count("\u5b66") for line in piped.splitlines()[1:]}), 1, piped)
        line, = [line for line in piped.splitlines() if long in line]
        self.assertTrue(line.endswith(" 0.9123  [" + self.spur("tag", "logs/" + long).out.strip() + "]"), line)

    def test_damaged_files_are_told(self):
        """Nothing hangs on them, calls them something else, or reaches the terminal."""
        csv = self.dir / "logs/a/metrics.csv"
        csv.write_bytes(csv.read_bytes().replace(b"\n", b"\r\n"))  # as an editor may leave it
        self.assertIn("no column 'val_x'; there are: epoch,step,loss,", self.spur("compare", "logs/a", "--metric", "val_x", status=2).err)
        self.assertIn("0.", self.spur("compare", "logs/a", "--metric", "learning_rate").out)
        csv.write_bytes(b"epoch,\r\x1b[31m,val\n1,2,3\n")
        self.spur("compare", "logs/a")
        self.write("logs/a/tags.txt", b"red\x1b[31m\n\xff\n")
        self.write("logs/a/notes.md", b"note\x1b[31m\n")
        for shown in (self.spur("list", "logs").out, self.spur("show", "logs/a").out):
            self.assertIn("red\\x1b[31m \ufffd", shown)
            self.assertNotIn("\x1b[31m", shown)
        self.write("logs/a/status.ini", b"\xff\xfe")
        self.assertEqual([r["state"] for r in self.spur("list", "logs", "--state", "damaged", "--csv").rows], ["damaged"])
        self.assertEqual(self.spur("list", "logs", "--state", "queued", "--json").json, [])

    def test_a_row_that_is_being_written(self):
        """Only whole rows count; where the last one has no value, the one before has the last."""
        path = self.dir / "logs/a/metrics.csv"
        whole = path.read_text()
        number = float(whole.splitlines()[-1].split(",")[2])
        seen = lambda: self.spur("compare", "logs/a", "--metric", "loss", "--json").json["configurations"][0]["mean"]
        for more in ("3,30", "3,30," + ",".join("1" * (whole.splitlines()[0].count(",") - 1)),
                     "3,30" + "," * (whole.splitlines()[0].count(",") - 1) + "\n"):
            path.write_text(whole + more)
            self.assertEqual(seen(), number)

    def test_a_row_that_does_not_fit_its_header(self):
        path = self.dir / "logs/a/metrics.csv"
        lines = path.read_text().splitlines()
        path.write_text("\n".join(lines[:2] + [lines[2].rsplit(",", 2)[0]]) + "\n")
        fields = lines[0].count(",") + 1
        for more in ([], ["--metric", "loss"]):
            r = self.spur("compare", "logs/a", *more, status=2)
            self.assertIn("logs/a/metrics.csv:3: found %d fields, the header has %d" % (fields - 2, fields), r.err)


if __name__ == "__main__":
    main()
