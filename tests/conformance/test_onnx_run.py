#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`spur onnx` on trained runs: ONNX Runtime answers as `spur predict` does, from raw pixels and from normalised ones.

usage: test_onnx_run.py SPUR FOLDER
"""
import json
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image

INI = """
[run]
name = {format}
logdir = logs
[data]
format = {format}
samples = 40
val_samples = 20
size = {size}
normalization = dataset
batch_size = 10
[model]
{model}
[train]
epochs = 2
[log]
images = 0
"""


def spur(*words, status=0):
    done = subprocess.run([SPUR, *words], cwd=FOLDER, capture_output=True, text=True)
    assert done.returncode == status, (words, done.returncode, done.stderr)
    return done.stdout if status == 0 else done.stderr


class Run(unittest.TestCase):
    def train(self, kind, size, model):
        """A run, and a picture of its size, as [1][3][h][w] from 0 to 255."""
        shutil.rmtree(FOLDER / "logs", ignore_errors=True)
        (FOLDER / f"{kind}.ini").write_text(INI.format(format=kind, size=size, model=model))
        spur("train", f"{kind}.ini", "--quiet")
        height, width = map(int, size.split("x"))
        pixels = np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)
        Image.fromarray(pixels).save(FOLDER / f"{kind}.png")
        (run,) = FOLDER.glob(f"logs/*_{kind}")
        return str(run.relative_to(FOLDER)), pixels.transpose(2, 0, 1)[None].astype(np.float32)

    def logits(self, run, pixels):
        """Of --raw, after those of the plain model were found to be the same; and the metadata."""
        spur("onnx", run)
        spur("onnx", run, "--raw", "-o", "raw.onnx")
        plain, raw = (onnxruntime.InferenceSession(FOLDER / path) for path in (f"{run}/model.onnx", "raw.onnx"))
        notes = plain.get_modelmeta().custom_metadata_map
        mean, std = (np.array(notes[key].split(), np.float32).reshape(3, 1, 1) for key in ("mean", "std"))
        (found,) = raw.run(None, {"input": pixels})
        (expected,) = plain.run(None, {"input": (pixels / 255 - mean) / std})
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
        return found, notes

    def test_classification(self):
        run, pixels = self.train("shapes", "16x16", "name = cnn\nfilters = 4, 8")
        logits, notes = self.logits(run, pixels)
        answer = json.loads(spur("predict", run, "shapes.png", "--json"))
        shares = np.exp(logits[0]) / np.exp(logits[0]).sum()
        np.testing.assert_allclose(shares, answer["values"], rtol=1e-4)
        self.assertEqual(notes["task"], "classification")
        self.assertEqual(notes["classes"].split("\n")[shares.argmax()], answer["label"])

    def test_segmentation(self):
        run, pixels = self.train("buildings", "32x48", "name = unet\nbase_filters = 4\ndepth = 2")
        logits, notes = self.logits(run, pixels)
        spur("predict", run, "buildings.png", "--output", "masks")
        mask = np.array(Image.open(FOLDER / "masks/buildings_mask.png"))
        found = logits.argmax(1)[0] if logits.shape[1] > 1 else logits[0, 0] > 0
        self.assertEqual(mask.shape, (32, 48))
        self.assertLess((found != (mask > 0)).mean(), 0.01)
        self.assertEqual(notes["task"], "segmentation")

    def test_refused(self):
        self.assertIn("best or last", spur("onnx", "logs", "--weights", "first", status=2))
        self.assertIn("no run there", spur("onnx", "logs/gone", status=2))
        run, _ = self.train("shapes", "16x16", "name = mlp")
        self.assertIn("gone/x.onnx", spur("onnx", run, "-o", "gone/x.onnx", status=1))


if __name__ == "__main__":
    SPUR, FOLDER = sys.argv[1], Path(sys.argv[2]).resolve()
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    unittest.main(argv=sys.argv[:1])
