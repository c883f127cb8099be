# SPDX-License-Identifier: MIT
# cli needs: engine
"""spur init: what it takes folders for, and what it writes."""
import struct

from harness import Cli, main
from media import png


class Init(Cli):
    def test_init_looks_at_folders(self):
        for split in ("train", "val"):
            for label in ("cat", "dog"):
                for i in range(3):
                    self.write("pets/%s/%s/%d.png" % (split, label, i), png(40, 30, lambda x, y: (x, y, i)))
        self.spur("init", "pets", "--output", "pets.ini")
        text = (self.dir / "pets.ini").read_text()
        self.assertIn("format = image_folder", text)
        self.assertIn("2 classes: cat, dog\n", text)
        for line in ("horizontal_flip = 0.5", "name = my_net", "size = 30x40"):
            self.assertIn("\n%s\n" % line, text)
        self.assertNotIn("class_weights", text)
        self.spur("train", "pets.ini", "--dry-run")
        self.assertIn("exists already", self.spur("init", "pets", "--output", "pets.ini", status=2).err)
        for i in range(4):
            self.write("roofs/images/%d.png" % i, png(32, 32, lambda x, y: (x, y, i)))
            self.write("roofs/masks/%d.png" % i, png(32, 32, lambda x, y: (255,) * 3 if x > 9 + i else (0,) * 3))
        self.spur("init", "roofs", "--out", "roofs.ini")  # as it was called first
        text = (self.dir / "roofs.ini").read_text()
        self.assertIn("masks = binary", text)
        self.assertNotIn("tile", text)
        # pictures in parts; many classes, one of them large
        for split in ("train", "val"):
            for kind, top in (("images", 200), ("masks", 1)):
                self.write("parts/%s/%s/0.png" % (split, kind), png(8, 8, lambda x, y: (x % (top + 1),) * 3))
            for k in range(13):
                for i in range(10 if k == 4 else 2):
                    self.write("many/%s/k%02d/%d.png" % (split, k, i), png(140, 100, lambda x, y: (7, 7, k)))
        self.spur("init", "parts", "--output", "parts.ini")
        self.assertIn("format = segmentation", (self.dir / "parts.ini").read_text())
        self.spur("init", "many", "--output", "many.ini")
        text = (self.dir / "many.ini").read_text()
        self.assertRegex(text, r" of 100x140, 3 channels; 13 classes: k00, .*, k11, \.\.\.\n")
        for line in ("size = 50x70", "name = resnet18", "method = class_weights"):
            self.assertIn("\n%s\n" % line, text)
        # large pictures may be cut instead
        for i in range(2):
            self.write("aerial/images/%d.png" % i, png(272, 272, lambda x, y: (x % 256, i, i)))
            self.write("aerial/masks/%d.png" % i, png(272, 272, lambda x, y: (x // 200,) * 3))
        self.spur("init", "aerial", "--output", "aerial.ini")
        text = (self.dir / "aerial.ini").read_text()
        self.assertIn("\nsize = 136x136\n", text)
        self.write("tiles.ini", text.replace("size = 136x136\n", "").replace("# tile", "tile").replace("# overlap", "overlap"))
        self.assertIn("256x256", self.spur("train", "tiles.ini", "--dry-run").out)
        # a border of 255 beside classes is no black and white, colours are no greys
        for name, values in (("voc", (0, 3, 255)), ("paint", ((0, 0, 0), (128, 0, 0), (0, 64, 255)))):
            for i in range(4):
                self.write("%s/images/%d.png" % (name, i), png(32, 32, lambda x, y: (x, y, i)))
                mask = [v if isinstance(v, tuple) else (v,) * 3 for v in values]
                self.write("%s/masks/%d.png" % (name, i), png(32, 32, lambda x, y: mask[x // 11]))
            self.spur("init", name, "--output", name + ".ini")
            self.assertIn("batch_size = 4", (self.dir / (name + ".ini")).read_text())
        # classes may be counted from 1
        for name, values, option in (("ade", (1, 2, 3), "first_class = 1\n#"), ("pet", (1, 2, 255), "first_class = 1\nignore_index = 255\n")):
            for i in range(4):
                self.write("%s/images/%d.png" % (name, i), png(32, 32, lambda x, y: (x, y, i)))
                self.write("%s/masks/%d.png" % (name, i), png(32, 32, lambda x, y: (values[x // 11],) * 3))
            self.spur("init", name, "--output", name + ".ini")
            self.assertIn("\n" + option, (self.dir / (name + ".ini")).read_text())
        self.assertIn("ignore_index = 255", (self.dir / "voc.ini").read_text())
        self.assertIn("masks = color\ncolors = 000000, 0040ff, 800000\n", (self.dir / "paint.ini").read_text())
        self.assertIn("3 classes", self.spur("train", "paint.ini", "--dry-run").out)
        self.assertIn("a coloured mask", self.spur("train", "roofs.ini", "--dry-run", "data.path=paint", status=2).err)
        wave = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 16036, b"WAVE", b"fmt ", 16, 1, 1, 8000, 16000, 2, 16, b"data",
                           16000) + bytes(16000)
        for label in "ab":
            for i in range(3):
                self.write("sounds/%s/%d.WAV" % (label, i), wave)
                for split in ("train", "val"):
                    self.write("noises/%s/%s/%d.wav" % (split, label, i), wave)
        for folder in ("sounds", "noises"):
            self.spur("init", folder, "--output", folder + ".ini")
            self.assertIn("format = audio_folder", (self.dir / (folder + ".ini")).read_text())
            self.assertNotIn("\nhorizontal_flip", (self.dir / (folder + ".ini")).read_text())
        for part in ("train", "t10k"):
            pictures = struct.pack(">4I", 0x803, 20, 28, 28) + bytes(20 * 28 * 28)
            self.write("digits/%s-images-idx3-ubyte" % part, pictures)
            self.write("digits/%s-labels-idx1-ubyte" % part, struct.pack(">2I", 0x801, 20) + bytes(i % 10 for i in range(20)))
        for name in ("data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch"):
            self.write("objects/%s.bin" % name, b"".join(bytes([i % 10]) + bytes(3072) for i in range(100)))
        for folder, name in (("digits", "mnist"), ("objects", "cifar10")):
            self.spur("init", folder, "--output", folder + ".ini")
            self.assertIn("format = " + name, (self.dir / (folder + ".ini")).read_text())
            self.spur("train", folder + ".ini", "--dry-run")
        text = (self.dir / "digits.ini").read_text()
        self.assertIn(" of 28x28, 1 channel; 10 classes: ", text)
        self.assertNotIn("\nhorizontal_flip", text)  # a mirrored 5 is none
        self.assertIn("\nbatch_size = 32\n", (self.dir / "objects.ini").read_text())
        self.assertIn("nowhere", self.spur("init", "nowhere", "--output", "x.ini", status=2).err)
        self.assertFalse((self.dir / "x.ini").exists())

    def test_init_on_odd_masks(self):
        """What is wrong with a file is told, not how its neighbour could be read."""
        for name, values in (("grey", (0, 255)), ("paint", ((0, 0, 0), (128, 0, 0), (0, 64, 255)))):
            for i in range(4):
                mask = [v if isinstance(v, tuple) else (v,) * 3 for v in values]
                self.write("%s/images/%d.png" % (name, i), png(32, 32, lambda x, y: (x, y, i)))
                self.write("%s/masks/%d.png" % (name, i), png(32, 32, lambda x, y: mask[x // 16]))
            whole = (self.dir / name / "masks/2.png").read_bytes()
            self.write(name + "/masks/2.png", png(16, 32, lambda x, y: mask[x // 8]))
            self.assertIn("2.png: a mask of 32 x 16 pixels, but", self.spur("init", name, "--output", "x.ini", status=2).err)
            self.write(name + "/masks/2.png", whole[:60])
            self.assertIn("2.png: damaged PNG", self.spur("init", name, "--output", "x.ini", status=2).err)
            self.write(name + "/masks/2.png", whole)
        for i in range(4):
            self.write("grey/images/%d.tif" % i, b"II*")
        self.write("grey/masks/more.png", whole)
        notes = "grey/images: left out 4 files with other endings\ngrey/masks: left out 1 mask without a picture\n"
        self.assertIn(notes, self.spur("init", "grey", "--output", "grey.ini").out)
        for flags in (["--dry-run"], ["train.epochs=1", "data.size=16", "model.base_filters=4"]):
            self.assertIn(notes, self.spur("train", "grey.ini", *flags).out)
        # two folders of other names are no two classes
        (self.dir / "paint/images").rename(self.dir / "paint/Pictures")
        before = "masks"
        for name in ("Labels", "mask", "annotations", "SEGMENTATION", "gt"):
            (self.dir / "paint" / before).rename(self.dir / "paint" / name)
            self.assertRegex(self.spur("init", "paint", "--output", "x.ini", status=2).err,
                             "paint: the folders (Pictures and %s) look like pictures and their masks" % name)
            before = name
        self.assertFalse((self.dir / "x.ini").exists())

    def test_init_on_odd_names(self):
        self.write("tables/train.csv", "a,b\n1,2\n3,4\n5,6\n")
        self.spur("init", "tables", "--output", "tables.ini")
        self.assertIn("format = csv", (self.dir / "tables.ini").read_text())
        self.spur("train", "tables.ini", "--dry-run")
        for label in "ab":
            for i in range(3):
                self.write("a #b/%s/%d.png" % (label, i), png(8, 8, lambda x, y: (x, y, i)))
        self.assertIn("a #b: this path could not stand in an INI file", self.spur("init", "a #b", "--output", "x.ini", status=2).err)
        self.assertFalse((self.dir / "x.ini").exists())


if __name__ == "__main__":
    main()
