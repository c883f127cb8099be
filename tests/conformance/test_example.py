# SPDX-License-Identifier: MIT
"""TensorBoard's endpoints give what examples/log_everything logs in the loop of the tf.summary tutorial.

usage: test_example.py fast|slow LOG_EVERYTHING WORK_FOLDER
"""
import io
import math
import shutil
import subprocess
import sys
import unittest
import wave
from pathlib import Path

import numpy as np
from PIL import Image
from tensorboard.plugins.text import text_plugin

from tb import TensorBoard

server = run = work = None
STEPS = range(1, 1001)


class Tutorial(unittest.TestCase):
    def test_scalar(self):
        points = server.json("/data/plugin/scalars/scalars", run=run, tag="my_scalar")
        self.assertEqual([(s, v) for _, s, v in points], [(s, float(np.float32(math.sin(s / 10)))) for s in STEPS])

    def test_histogram(self):
        """50 buckets over 100 values (normal + 2) * step / 100."""
        points = server.json("/data/plugin/histograms/histograms", run=run, tag="my_hist")
        self.assertEqual(len(points), 51)
        self.assertEqual(points[-1][1], 1000)
        means = []
        for _, step, rows in points:
            rows = np.array(rows)
            self.assertEqual(rows.shape, (50, 3))
            self.assertEqual(rows[:, 2].sum(), 100)
            np.testing.assert_array_equal(rows[1:, 0], rows[:-1, 1])
            np.testing.assert_allclose(np.diff(rows[:, 0]), rows[0, 1] - rows[0, 0], rtol=1e-9)
            means.append((rows[:, :2].mean(axis=1) * rows[:, 2]).sum() / step)
        self.assertAlmostEqual(np.mean(means), 2.0, delta=0.1)

    def test_images(self):
        """Two random 32 x 32 RGB images, brightness step / 1000."""
        for sample in range(2):
            listed = server.json("/data/plugin/images/images", run=run, tag="my_images", sample=sample)
            self.assertEqual([image["step"] for image in listed], list(STEPS))
            for image in listed[::111]:
                data, mime = server.blob("/data/plugin/images/individualImage", image["query"])
                pixels = np.asarray(Image.open(io.BytesIO(data)))
                self.assertEqual((pixels.shape, mime), ((32, 32, 3), "image/png"))
                brightest = image["step"] / 1000 * 255
                self.assertTrue(0.95 * brightest - 1 <= pixels.max() <= brightest + 1, image["step"])
                self.assertAlmostEqual(pixels.mean(), brightest / 2, delta=0.03 * 255)

    def test_text(self):
        texts = server.json("/data/plugin/text/text", run=run, tag="my_text")
        want = {s: text_plugin.text_array_to_html(np.array([f"Step: {s}", f"Square: {s * s}"], object), True)
                for s in STEPS}
        self.assertEqual({t["step"]: t["text"] for t in texts}, {s: want[s] for s in [t["step"] for t in texts]})
        self.assertEqual(texts[-1]["step"], 1000)
        self.assertGreaterEqual(len(texts), 100)

    def test_audio(self):
        """12000 samples of a sine at 48 kHz."""
        listed = server.json("/data/plugin/audio/audio", run=run, tag="my_audio", sample=0)
        self.assertEqual([clip["step"] for clip in listed], list(STEPS))
        for clip in listed[::333]:
            data, mime = server.blob("/data/plugin/audio/individualAudio", clip["query"])
            self.assertEqual(mime, "audio/wav")
            with wave.open(io.BytesIO(data)) as file:
                self.assertEqual(file.getparams()[:4], (1, 2, 48000, 12000))
                got = np.frombuffer(file.readframes(12000), "<i2")
            frequency = 220 + 0.66 * clip["step"]
            want = 0.5 * np.sin(2 * np.pi * frequency * np.arange(12000) / 48000)
            self.assertLessEqual(np.abs(got - want * 32768).max(), 0.51)


class Others(unittest.TestCase):
    def test_two_runs(self):
        runs = {f"{run}/train", f"{run}/validation"}
        for tag in ("epoch_loss", "epoch_accuracy"):
            got = server.post_form("/data/plugin/scalars/scalars_multirun", tag=tag, runs=sorted(runs))
            self.assertEqual(set(got), runs)
            self.assertTrue(all([s for _, s, _ in points] == list(range(50)) for points in got.values()))

    def test_one_of_each(self):
        for plugin, tag in (("pr_curves", "pr"), ("mesh", "mesh"), ("images", "animation"), ("images", "boxes"), ("text", "table"),
                            ("text", "notes")):
            self.assertIn(tag, server.json(f"/data/plugin/{plugin}/tags")[run], plugin)
        self.assertTrue(server.json("/data/plugin/graphs/info")[run]["run_graph"])
        self.assertEqual([c["title"] for c in server.json("/data/plugin/custom_scalars/layout")["category"]],
                         ["Overview"])
        server.wait_for_plugin("projector")
        self.assertEqual(server.json("/data/plugin/projector/info", run=run)["embeddings"][0]["tensorShape"], [150, 8])

    def test_session(self):
        (group,) = server.post_json("/data/plugin/hparams/session_groups", {
            "experimentName": "", "colParams": [], "startIndex": 0, "sliceSize": 10,
            "allowedStatuses": ["STATUS_SUCCESS"]})["sessionGroups"]
        self.assertEqual(group["hparams"], {"lr": 1e-3, "optimizer": "adam", "augment": True})
        metrics = {(m["name"]["group"], m["name"]["tag"]): m["value"] for m in group["metricValues"]}
        self.assertEqual(metrics["", "my_scalar"], float(np.float32(math.sin(100))))
        self.assertIn(("validation", "epoch_accuracy"), metrics)


def setUpModule():
    global server
    server = TensorBoard(work / "logs", LOADER == "fast")
    server.wait_for_runs({run, f"{run}/train", f"{run}/validation"})
    server.wait_for_scalar(run, "my_scalar", 1000)
    server.wait_for_scalar(f"{run}/validation", "epoch_loss", 49)


def tearDownModule():
    if server:
        server.close()


if __name__ == "__main__":
    LOADER, program, work = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    subprocess.run([program, work / "logs"], check=True)
    (run,) = [p.name for p in (work / "logs").iterdir()]
    unittest.main(argv=sys.argv[:1], verbosity=2)
