# SPDX-License-Identifier: MIT
# cli needs: engine
"""The INI files under examples/: all are read; those whose data are here build their network."""
import contextlib
import os
import tarfile
import tempfile
from pathlib import Path

from harness import BUILD, SOURCE, Cli, main

DATA = Path(os.environ.get("SPUR_TEST_DATA") or SOURCE / "../shared/data")
NEEDS = {"mnist": "mnist-10k", "cifar10-small": "cifar10-small", "isbi-membrane": "isbi-membrane",
         "camvid": "camvid-half", "camvid-buildings": "camvid-half"}


class Examples(Cli):
    def unpacked(self, name):
        """The data set, unpacked into the build folder once; None when it is not there."""
        if (DATA / name).is_dir():
            return (DATA / name).resolve()
        target = BUILD / "test_data"
        if not (target / name).exists() and (DATA / (name + ".tar")).exists():
            with tarfile.open(DATA / (name + ".tar")) as archive:
                safe = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}  # from Python 3.11.4 on
                target.mkdir(exist_ok=True)
                with tempfile.TemporaryDirectory(dir=target) as part:  # it is there whole, or not
                    archive.extractall(part, **safe)
                    with contextlib.suppress(OSError):  # somebody else was faster
                        os.rename(os.path.join(part, name), target / name)
        return target / name if (target / name).exists() else None

    def test_all_are_read(self):
        found = sorted((SOURCE / "examples").glob("*.ini"))
        self.assertTrue(set(NEEDS) | {"buildings"} <= {p.stem for p in found})
        for path in found:
            if "[program]" not in path.read_text():
                self.spur("train", path, "--print-config")

    def test_buildings_train(self):
        out = self.spur("train", SOURCE / "examples/buildings.ini", "--limit-batches", "2", "train.epochs=1",
                        "data.samples=16", "data.val_samples=8", "data.size=32").out
        self.assertIn("val_iou_class_1", out)
        self.assertIn("tensorboard --logdir=./my_logs", out)

    def test_learning_rates_need_no_data(self):
        out = self.spur("sweep", SOURCE / "examples/learning_rate.ini", "--dry-run").out
        self.assertIn("4 configurations, 3 seeds each: 12 trials", out)

    def test_the_others_fit_their_data(self):
        for name, data in NEEDS.items():
            with self.subTest(name=name):
                path = self.unpacked(data)
                if path is None:
                    self.skipTest("no %s in %s" % (data, DATA))
                quick = [] if name == "mnist" else ["data.verify=header"]
                self.spur("train", SOURCE / "examples" / (name + ".ini"), "data.path=%s" % path, "--dry-run", *quick)


if __name__ == "__main__":
    main()
