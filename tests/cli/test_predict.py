# SPDX-License-Identifier: MIT
# cli needs: engine
"""Answers of a trained run: labels and masks of pictures, labels of sounds, numbers and labels for rows of tables."""
import csv
import json
import re
import shutil

from harness import main
from media import png, png_rows, size_of, wav
from runs import SCENES, SHAPES, Trained


class Predict(Trained):
    def answers(self, *words, **keywords):
        """The JSON lines of `predict`, which say what the table says."""
        lines = self.spur("predict", *words, "--json", "--output", "out", **keywords).json_lines
        with open(self.dir / "out/predictions.csv") as file:
            table = list(csv.reader(file))
        flat = lambda line: [line["file"]] + [str(line[k]) for k in ("row", "label") if k in line] + line["values"]
        self.assertEqual([[str(v) for v in flat(line)] for line in lines],
                         [row[:-len(line["values"])] + [str(json.loads(v)) for v in row[-len(line["values"]):]]
                          for row, line in zip(table[1:], lines)])
        self.assertEqual(len(table), len(lines) + 1)
        return table[0], lines

    def files(self, folder):
        return {name: (self.dir / folder / name).read_bytes() for name in self.tree(folder)}

    def test_classes(self):
        run = self.train(SHAPES)
        self.write("in/a.png", png(50, 30, lambda x, y: (200, x, y)))
        self.write("in/b.png", png(8, 8, lambda x, y: (x * 9, 20, 90)))
        self.write("in/notes.txt", "no picture")
        self.write("in/folder.png/c.png", "not looked at")
        r = self.spur("predict", run, "in", "--output", "out", "--json")
        answers = r.json_lines
        self.assertEqual([a["file"] for a in answers], ["in/a.png", "in/b.png"])
        self.assertIn("in: left out 1 file with other endings", r.err)
        rows = self.table(self.dir / "out/predictions.csv")
        for answer, row in zip(answers, rows):
            self.assertAlmostEqual(sum(answer["values"]), 1, places=4)
            self.assertEqual(row["label"], answer["label"])
            self.assertEqual(max(row, key=lambda k: float(row[k]) if k not in ("file", "label") else -1),
                             answer["label"])
        self.assertIn("no JPEG or PNG files", self.spur("predict", run, "my_logs", status=2).err)
        self.write("broken.png", "this is text")
        before = self.tree("out"), (self.dir / "out/predictions.csv").read_bytes()
        for nothing in "broken.png", "gone":  # no answer: what was there stays, and no folder is made
            r = self.spur("predict", run, nothing, "--out", "out", status=2)
            self.assertIn(nothing, r.err)
            self.assertNotIn("answers", r.out)
            self.assertEqual((self.tree("out"), (self.dir / "out/predictions.csv").read_bytes()), before)
            self.spur("predict", run, nothing, status=2)
            self.assertFalse((self.dir / run / "predictions").exists())
        self.write("in/a0.png", "this is text")  # told and left out, the others are answered
        r = self.spur("predict", run, "in", "gone.png", "run.threads=1", "--output", "rest", status=1)
        self.assertEqual([row["file"] for row in self.table(self.dir / "rest/predictions.csv")], ["in/a.png", "in/b.png"])
        self.assertIn("in/a0.png", r.err)
        self.assertIn("2 of 4 pictures could not be read", r.err)
        self.assertIn("threads", self.spur("predict", run, "in", "run.threads=0", status=2).err)
        self.assertIn("--overlap: for runs on masks", self.spur("predict", run, "in", "--overlap", "4", status=2).err)
        self.write("run.threads=1.png", png(8, 8, lambda x, y: (200, x, y)))  # a file, no option
        self.assertEqual(self.spur("predict", run, "run.threads=1.png", "--output", "one").out, "1 picture; answers in one\n")

    def test_needs_the_normalization(self):
        run = self.train(SHAPES)
        self.write("a.png", png(8, 8, lambda x, y: (x, y, 0)))
        card = (run / "data.ini").read_text()
        for key in ("mean", "std"):
            (run / "data.ini").write_text(re.sub("(?m)^%s = .*" % key, key + " =", card))
            self.assertIn("data.ini: no 'mean' or no 'std'", self.spur("predict", run, "a.png", status=2).err)

    def test_rows_of_a_table(self):
        """What validation measures is what the answers are off by; columns are found by their names."""
        rows = [(i % 7, i % 5, 9, i % 7 - 2 * (i % 5), i % 5) for i in range(40)]
        lines = lambda order: "".join(",".join(str(row[c]) for c in order) + "\n" for row in rows)
        for part in ("train", "val"):
            self.write("set/%s.csv" % part, "a,b,note,y,z\n" + lines(range(5)))
        run = self.train("[data]\nformat = csv\npath = set\ntarget = 4, 5\nleave_out = 3\n[model]\nname = mlp\n"
                         "width = 8\n[loss]\nname = mse\n[optimizer]\nname = adam\nlr = 0.05\n[train]\nepochs = 20\n")
        header, whole = self.answers(run, "set/val.csv")
        self.assertEqual(header, ["file", "row", "value_0", "value_1"])
        self.assertEqual([line["row"] for line in whole], list(range(1, 41)))
        errors = [abs(v - row[3 + k]) for line, row in zip(whole, rows) for k, v in enumerate(line["values"])]
        measured = self.spur("eval", run, "--json").json
        self.assertAlmostEqual(sum(errors) / len(errors), measured["mae"], places=4)
        self.assertEqual(len({tuple(line["values"]) for line in whole}), 35)  # of 40 rows the first five come again
        shutil.rmtree(self.dir / "set")
        values = [line["values"] for line in whole]
        self.write("new/swapped.csv", "b;x;a\n" + lines((1, 2, 0)).replace(",", ";"))
        self.write("new/plain.csv", lines((0, 1)))
        self.write("new/places.CSV", lines(range(5)))  # the columns of the training, without names
        self.write("new/notes.txt", "")
        _, found = self.answers(run, "new")
        self.assertEqual([line["values"] for line in found], values * 3)
        self.assertEqual({line["file"] for line in found}, {"new/swapped.csv", "new/plain.csv", "new/places.CSV"})
        bad = {"cell.csv": ("a,b\n1,2\n3,x\n", "bad/cell.csv:3:2: cell 'x' of column b: expected a number"),
               "gone.csv": ("a,c\n1,2\n", "bad/gone.csv: found no column called 'b', expected one"),
               "twice.csv": ("a,b,b\n1,2,3\n", "bad/twice.csv: found more than one column called 'b'"),
               "wide.csv": ("1,2,3,4,5,6\n", "bad/wide.csv: found 6 columns, 3 of them features, expected the 2 features"),
               "wider.csv": ("1,2,3,4\n", "data.target: bad/wider.csv has no column '5'"),
               "empty.csv": ("a,b\n", "bad/empty.csv: no line of data in it")}
        for name, (text, _) in bad.items():
            self.write("bad/" + name, text)
        r = self.spur("predict", run, "new/plain.csv", "bad", status=1)
        for _, message in bad.values():
            self.assertIn(message, r.err)
        self.assertIn("6 tables could not be read", r.err)
        self.assertIn("40 rows; answers in", r.out)
        self.assertEqual(self.spur("predict", run, "bad/cell.csv", status=2).err.splitlines()[-1],
                         "spur predict: 1 table could not be read")

    def test_classes_of_rows(self):
        self.write("t.csv", "".join("%d,%d,%s\n" % (i, i * i, "uv"[i > 15]) for i in range(30)))
        run = self.train("[data]\nformat = csv\npath = t.csv\n[model]\nname = mlp\n[optimizer]\nname = adam\nlr = 0.05\n"
                         "[train]\nepochs = 30\n")
        self.assertNotIn("[features]", (run / "data.ini").read_text())
        self.write("new.csv", "0,0\n29,841\n")
        header, found = self.answers(run, "new.csv")
        self.assertEqual(header, ["file", "row", "label", "u", "v"])
        self.assertEqual([line["label"] for line in found], ["u", "v"])
        for line in found:
            self.assertAlmostEqual(sum(line["values"]), 1, places=4)
        _, labelled = self.answers(run, "t.csv")
        self.assertEqual([line["values"] for line in (labelled[0], labelled[29])], [line["values"] for line in found])

    def test_sounds(self):
        for part in ("train", "val"):
            for label, frequency in (("high", 1600), ("low", 200)):
                for i in range(6):
                    self.write("set/%s/%s/%d.wav" % (part, label, i), wav(frequency * (1 + i / 60), 1200))
        run = self.train("[data]\nformat = audio_folder\npath = set\nsample_rate = 8000\nseconds = 0.1\nbands = 8\n"
                         "batch_size = 4\n[model]\nname = cnn\nfilters = 4\n[optimizer]\nname = adam\nlr = 0.02\n"
                         "[train]\nepochs = 12\n")
        _, found = self.answers(run, "set/val/high", "set/val/low/3.wav")
        self.assertEqual([line["file"] for line in found], ["set/val/high/%d.wav" % i for i in range(6)] + ["set/val/low/3.wav"])
        self.assertEqual([line["label"] for line in found], ["high"] * 6 + ["low"])
        self.write("in/torn.wav", b"RIFF")
        self.write("in/a.wav", wav(200, 1200))
        r = self.spur("predict", run, "in", "gone.wav", status=1)
        self.assertIn("in/torn.wav: ", r.err)
        self.assertIn("gone.wav: cannot open", r.err)
        self.assertIn("2 of 3 sounds could not be read", r.err)
        self.assertIn("1 sound; answers in", r.out)
        r = self.spur("predict", run, "in/a.wav", "data.bands=4", status=2)
        self.assertIn("make inputs of 4x", r.err)
        self.assertIn(", expected 8x", r.err)

    def test_refuses_made_sounds(self):
        """They are in no file, and a network of other inputs would answer as well, whatever its memory held."""
        run = self.train("[data]\nformat = tones\nsamples = 8\nval_samples = 4\nseconds = 0.1\n[model]\nname = cnn\n"
                         "filters = 2\n[train]\nepochs = 1\n")
        self.write("in/a.png", png(8, 8, lambda x, y: (x, y, 0)))
        self.assertIn("a run on sounds (data.format = tones), expected one on pictures",
                      self.spur("predict", run, "in", status=2).err)
        self.assertFalse((self.dir / run / "predictions").exists())

    def test_masks(self):
        run = self.train(SCENES)
        self.write("big.png", png(100, 70, lambda x, y: ((x * 3) % 256, (y * 5) % 256, 60)))
        self.spur("predict", run, "big.png", "--output", "whole")
        self.spur("predict", run, "big.png", "--output", "windows", "--overlap", "8")
        for folder in ("whole", "windows"):
            self.assertEqual(self.tree(folder), ["big_mask.png", "big_overlay.png", "predictions.csv"])
            self.assertEqual(size_of(self.dir / folder / "big_mask.png"), (100, 70))
            row = self.table(self.dir / folder / "predictions.csv")[0]
            self.assertAlmostEqual(float(row["other"]) + float(row["building"]), 1, places=4)
        self.assertIn("found '-1', expected pixels", self.spur("predict", run, "big.png", "--overlap", "-1", status=2).err)
        self.assertIn("but tiles of 32x32", self.spur("predict", run, "big.png", "--overlap", "32", status=2).err)
        run = self.train(SCENES, "data.size=32x16")
        self.assertIn("of 16 pixels, but tiles of 32x16", self.spur("predict", run, "big.png", "--overlap", "16", status=2).err)

    def test_keeps_masks_of_equal_names_apart(self):
        run = self.train(SCENES)
        for name, width in (("x/a.png", 32), ("x/a.JPG.png", 33), ("y/a.png", 34), ("z/a.png", 35), ("y/a-2.png", 36)):
            self.write(name, png(width, 32, lambda x, y: (x, y, 9)))
        answers = self.spur("predict", run, "x", "y/a.png", "z", "y/a-2.png", "--out", "out",  # as it was called first
                            "--json").json_lines
        self.assertEqual([(a["file"], a["mask"]) for a in answers],
                         [("x/a.JPG.png", "out/a.JPG_mask.png"), ("x/a.png", "out/a_mask.png"), ("y/a.png", "out/a-2_mask.png"),
                          ("z/a.png", "out/a-3_mask.png"), ("y/a-2.png", "out/a-2-2_mask.png")])
        self.assertEqual({name: size_of(self.dir / "out" / name)[0] for name in self.tree("out") if "_mask" in name},
                         {"a.JPG_mask.png": 33, "a_mask.png": 32, "a-2_mask.png": 34, "a-3_mask.png": 35,
                          "a-2-2_mask.png": 36})

    def test_windows_of_another_height_than_width(self):
        """Without an overlap each is what it is as a picture of its own."""
        pixel = lambda x, y: ((x * 7) % 256, 220 if (x // 9 + y // 7) % 2 else 30, (y * 5) % 256)
        for i in range(4):
            self.write("set/images/%d.png" % i, png(48, 16, lambda x, y: pixel(x + i, y + 3 * i)))
            self.write("set/masks/%d.png" % i, png(48, 16, lambda x, y: (((x + i) // 9 + (y + 3 * i) // 7) % 2,), channels=1))
        run = self.train("[data]\nformat = segmentation\npath = set\nsize = 16x48\nval_split = 0.25\nbatch_size = 1\n[model]\nname = unet\n"
                         "base_filters = 4\ndepth = 2\n[optimizer]\nlr = 0.01\n[train]\nepochs = 10\n[log]\nimages = 0\n")
        self.write("whole/p.png", png(96, 48, pixel))
        for row in range(3):
            for column in range(2):
                self.write("parts/%d%d.png" % (row, column), png(48, 16, lambda x, y: pixel(x + 48 * column, y + 16 * row)))
        self.spur("predict", run, "parts", "--output", "resized")
        for folder in ("whole", "parts"):
            self.spur("predict", run, folder, "--output", folder, "--overlap", "0")
        for name in self.tree("resized"):
            if name.endswith("_mask.png"):
                self.assertEqual(png_rows(self.dir / "resized" / name), png_rows(self.dir / "parts" / name))
        rows = [sum(parts, []) for row in range(3)
                for parts in zip(*(png_rows(self.dir / ("parts/%d%d_mask.png" % (row, column))) for column in range(2)))]
        self.assertEqual(set(sum(rows, [])), {0, 1})
        self.assertEqual(png_rows(self.dir / "whole/p_mask.png"), rows)
        # what has no room for a window is resized
        self.write("low.png", png(96, 12, pixel))
        for folder, more in (("low", ()), ("low_too", ("--overlap", "0"))):
            self.spur("predict", run, "low.png", "--output", folder, *more)
        self.assertEqual(self.files("low"), self.files("low_too"))
        self.assertIn(1, sum(png_rows(self.dir / "low/low_mask.png"), []))
        # of two classes the second is painted over the picture, the first left as it is
        overlay = png_rows(self.dir / "whole/p_overlay.png", channels=3)
        for y, row in enumerate(rows):
            self.assertEqual([overlay[y][3 * x:3 * x + 3] == list(pixel(x, y)) for x in range(96)], [answer == 0 for answer in row])


if __name__ == "__main__":
    main()
