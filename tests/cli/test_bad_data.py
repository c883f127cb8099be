# SPDX-License-Identifier: MIT
# cli needs: engine
"""Broken data: exit status 2, a message that names the file, and nothing created."""
import base64
import gzip
import os
import shutil
import struct

from harness import Cli, main
from media import png

JPEG = base64.b64decode(  # 16x16, colour
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABsSFBcUERsXFhceHBsgKEIrKCUlKFE6PTBCYFVlZF9VXVtqeJmBanGQc1tdhbWGkJ6j"
    "q62rZ4C8ybqmx5moq6T/2wBDARweHigjKE4rK06kbl1upKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSk"
    "pKSkpKSkpKT/wAARCAAQABADASIAAhEBAxEB/8QAHwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcICQoL/8QAtRAAAgEDAwIEAwUF"
    "BAQAAAF9AQIDAAQRBRIhMUEGE1FhByJxFDKBkaEII0KxwRVS0fAkM2JyggkKFhcYGRolJicoKSo0NTY3ODk6Q0RFRkdISUpTVFVW"
    "V1hZWmNkZWZnaGlqc3R1dnd4eXqDhIWGh4iJipKTlJWWl5iZmqKjpKWmp6ipqrKztLW2t7i5usLDxMXGx8jJytLT1NXW19jZ2uHi"
    "4+Tl5ufo6erx8vP09fb3+Pn6/8QAHwEAAwEBAQEBAQEBAQAAAAAAAAECAwQFBgcICQoL/8QAtREAAgECBAQDBAcFBAQAAQJ3AAEC"
    "AxEEBSExBhJBUQdhcRMiMoEIFEKRobHBCSMzUvAVYnLRChYkNOEl8RcYGRomJygpKjU2Nzg5OkNERUZHSElKU1RVVldYWVpjZGVm"
    "Z2hpanN0dXZ3eHl6goOEhYaHiImKkpOUlZaXmJmaoqOkpaanqKmqsrO0tba3uLm6wsPExcbHyMnK0tPU1dbX2Nna4uPk5ebn6Onq"
    "8vP09fb3+Pn6/9oADAMBAAIRAxEAPwCv1+v86Sil6/X+dch6Xw+h/9k=")


def colour(i):
    return png(16, 16, lambda x, y: (x * 9, y * 9, i * 20))


def mask(high, from_x=8):
    return png(16, 16, lambda x, y: (high if x >= from_x else 0,), channels=1)


class BadData(Cli):
    def setUp(self):
        super().setUp()
        self.cache = {"XDG_CACHE_HOME": str(self.dir / "cache")}

    def folder(self):
        for label in ("cat", "dog"):
            for i in range(4):
                self.write("pets/train/%s/%d.png" % (label, i), colour(i))
                self.write("pets/val/%s/%d.png" % (label, i), colour(i))
        self.write("a.ini", "[data]\nformat = image_folder\npath = pets\nbatch_size = 4\n[model]\nname = cnn\n"
                            "[train]\nepochs = 1\n")

    def pairs(self, high=1):
        for i in range(5):
            self.write("roofs/images/%d.png" % i, colour(i))
            self.write("roofs/masks/%d.png" % i, mask(high))
        self.write("a.ini", "[data]\nformat = segmentation\npath = roofs\nbatch_size = 2\n[model]\nname = unet\n"
                            "depth = 2\nbase_filters = 4\n[train]\nepochs = 1\n")

    def refused(self, *parts):
        for words in (("train", "a.ini"), ("train", "a.ini", "--dry-run")):
            r = self.spur(*words, status=2, env=self.cache)
            for part in parts:
                self.assertIn(part, r.err)
            self.assertFalse((self.dir / "my_logs").exists())

    def test_good_data_train(self):
        self.folder()
        self.write("pets/train/cat/photo.jpg", JPEG)
        self.spur("train", "a.ini", env=self.cache)

    def test_a_truncated_jpeg(self):
        self.folder()
        self.write("pets/train/cat/cut.jpg", JPEG[: len(JPEG) * 2 // 3])
        self.refused("pets/train/cat/cut.jpg")

    def test_a_text_named_png(self):
        self.folder()
        self.write("pets/val/dog/note.png", "Dear diary, this is no picture.\n")
        self.refused("pets/val/dog/note.png")

    def test_nothing_to_balance(self):
        self.write("t.csv", "x,y\n" + "".join("%d,%d\n" % (i, i * i) for i in range(9)))
        for method in ("class_weights", "weighted_sampler"):
            self.write("a.ini", "[data]\nformat = csv\npath = t.csv\n[balance]\nmethod = %s\n[model]\nname = mlp\n"
                                "[loss]\nname = mse\n" % method)
            self.refused("a.ini:5:10: the data have no classes to balance")

    def test_an_empty_class(self):
        self.folder()
        (self.dir / "pets/train/fish").mkdir()
        self.refused("fish")

    def test_an_image_without_a_mask(self):
        self.pairs()
        os.remove(self.dir / "roofs/masks/3.png")
        self.refused("roofs/images/3.png")

    def test_a_mask_of_another_size(self):
        self.pairs()
        self.write("roofs/masks/2.png", png(16, 12, lambda x, y: (1,), channels=1))
        self.refused("roofs/masks/2.png")

    def test_a_class_that_does_not_exist(self):
        self.pairs()
        self.write("roofs/masks/2.png", mask(7))
        text = (self.dir / "a.ini").read_text().replace("path = roofs", "path = roofs\nclasses = 2")
        self.write("a.ini", text)
        self.refused("7")

    def test_masks_of_0_and_255(self):
        self.pairs(255)
        self.refused("255", "binary")

    def test_a_gz_cut_short(self):
        def idx(magic, sizes, data):
            return gzip.compress(struct.pack(">I%dI" % len(sizes), magic, *sizes) + data)
        images = idx(0x803, (20, 28, 28), bytes(range(256)) * 61 + bytes(64))
        labels = idx(0x801, (20,), bytes(i % 10 for i in range(20)))
        for part in ("train", "t10k"):
            self.write("digits/%s-images-idx3-ubyte.gz" % part, images)
            self.write("digits/%s-labels-idx1-ubyte.gz" % part, labels)
        self.write("a.ini", "[data]\nformat = mnist\npath = digits\nbatch_size = 4\n[model]\nname = cnn\n"
                            "[train]\nepochs = 1\n")
        self.spur("train", "a.ini", "--dry-run", env=self.cache)
        self.write("digits/train-images-idx3-ubyte.gz", images[: len(images) // 2])
        self.refused("train-images-idx3-ubyte.gz")

    def test_names_do_not_reach_the_terminal_as_they_are(self):
        """Control characters of files' contents and names are written out, and a message stays one line."""
        for name in ("\x1b[31mred", "two\nlines"):
            shown = name.replace("\x1b", "\\x1b").replace("\n", "\\n")
            self.write("a.csv", '"%s",label\n1,x\nz,y\n3,x\n4,y\n' % name)
            self.write("a.ini", "[data]\nformat = csv\npath = a.csv\ntarget = label\n[model]\nname = mlp\n")
            table = self.spur("train", "a.ini", status=2, env=self.cache)
            self.write("pets/%s/0.png" % name, colour(0))
            self.write("pets/cat/0.png", colour(1))
            self.write("a.ini", "[data]\nformat = image_folder\npath = pets\n[model]\nname = my_net\n"
                                "[sweep]\noptimizer.lr = 0.1, 0.2\n")
            for r in (table, self.spur("train", "a.ini", status=2, env=self.cache),
                      self.spur("sweep", "a.ini", status=2, env=self.cache),
                      self.spur("show", name, status=2), self.spur("inspect", name, status=2)):
                self.assertIn(shown, r.err)
                self.assertNotIn(name, r.err)
            shutil.rmtree(self.dir / "pets")


if __name__ == "__main__":
    main()
