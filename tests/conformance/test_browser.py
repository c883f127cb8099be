# SPDX-License-Identifier: MIT
"""Chromium opens every tab of TensorBoard and must find what was logged, rendered. Screenshots stay.

usage: test_browser.py LOG_EVERYTHING WORK_FOLDER

Looks at the run that examples/log_everything leaves. Every page must come without an exception, an error on
the console, or a request that failed.
"""
import io
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

import numpy as np
from PIL import Image

from chromium import Chromium
from tb import TensorBoard

program = work = None
server = browser = run = None


def lengths(selector):
    """JavaScript: the lengths of the d attributes of all paths found, longest first."""
    return f"$$('{selector}').filter(visible).map(e => (e.getAttribute('d') || '').length).sort((a, b) => b - a)"


class Tabs(unittest.TestCase):
    def setUp(self):
        self.page = browser.page()
        self.addCleanup(self.page.close)

    def open(self, tab, height=1100, query=""):
        self.page.size(1400, height)
        self.page.open(f"{server.base}/{query}#{tab}")
        self.page.wait(f"$$('[data-plugin-id=\"{tab}\"], .plugin-name, .mat-mdc-tab').length > 0", f"{tab} opens")

    def done(self, name):
        """Takes the screenshot; complains about anything that the page complained about."""
        self.page.settle()
        picture = np.asarray(Image.open(io.BytesIO(self.page.screenshot(work / "screenshots" / f"{name}.png"))))
        colors = len(np.unique(picture.reshape(-1, picture.shape[2]), axis=0))
        self.assertGreater(colors, 50, "an empty page")
        self.assertEqual(self.page.problems, [])

    def has(self, text, root="document.body"):
        self.page.wait(f"allText({root}).replace(/\\s+/g, ' ').includes({text!r})", f"the page shows {text!r}")

    def test_scalars(self):
        self.open("scalars")
        self.page.wait("$$('tf-scalar-card').length >= 1")
        self.page.wait(f"{lengths('path.line')}[0] > 2000", "the sine has been drawn")
        self.has("my_scalar")
        self.done("scalars")

    def test_time_series(self):
        self.open("timeseries", height=3200)
        for card in ("scalar-card", "histogram-card", "image-card"):
            self.page.wait(f"$$('{card}').length >= 1")
        self.page.wait("$$('scalar-card canvas, scalar-card svg path').length >= 1")
        self.page.wait("$$('image-card img').some(e => e.complete && e.naturalWidth === 32)", "an image")
        self.page.wait(f"{lengths('histogram-card path')}[0] > 100", "a histogram")
        self.has("my_scalar")
        self.done("timeseries")

    def test_images(self):
        self.open("images", height=1600)
        self.page.wait("$$('tf-image-loader img').filter(e => e.complete && e.naturalWidth === 32 && "
                       "e.naturalHeight === 32).length >= 2", "two images of 32 x 32 pixels")
        self.has("my_images")
        self.has("sample: 2 of 2")
        self.has("step 1000")
        self.done("images")

    def test_audio(self):
        self.open("audio")
        self.page.wait("$$('tf-audio-loader audio').some(e => Math.abs(e.duration - 12000 / 48000) < 0.001)",
                       "a sound of 12000 samples at 48 kHz")
        self.has("my_audio")
        self.done("audio")

    def test_text(self):
        self.open("text")
        self.has("my_text")
        self.page.wait("$$('tf-text-loader td, tf-text-dashboard td').some(e => e.textContent.trim() === "
                       "'Square: 1000000')", "the row of the last step")
        self.done("text")

    def test_histograms(self):
        self.open("histograms")
        self.page.wait("$$('vz-histogram-timeseries path.outline').length >= 51", "51 steps")
        self.page.wait(f"{lengths('path.outline')}[50] > 200")
        self.has("my_hist")
        self.done("histograms")

    def test_distributions(self):
        self.open("distributions")
        self.page.wait(f"{lengths('vz-distribution-chart path.area')}[7] > 1000", "eight bands")
        self.has("my_hist")
        self.done("distributions")

    def test_graphs(self):
        self.open("graphs")
        self.page.wait("$$('tf-graph-scene svg g.node').length >= 4", "nodes")
        self.page.wait("$$('tf-graph-scene svg path.edgeline, tf-graph-scene path.edgeline').length >= 3", "edges")
        self.done("graphs")

    def test_pr_curves(self):
        self.open("pr_curves")
        self.page.wait(f"{lengths('path.line')}[0] > 200", "a curve")
        self.has("step 1000")
        self.done("pr_curves")

    def test_hparams(self):
        self.open("hparams")
        self.page.wait("$$('tf-hparams-table-view, tf-hparams-session-group-values, vaadin-grid').length >= 1")
        self.has("TABLE VIEW")
        self.done("hparams")

    def test_custom_scalars(self):
        self.open("custom_scalars")
        self.page.wait("$$('tf-custom-scalar-multi-line-chart-card, tf-custom-scalar-margin-chart-card').length >= 1")
        self.page.wait(f"{lengths('path.line')}[0] > 200", "a line")
        self.done("custom_scalars")

    def test_mesh(self):
        self.open("mesh")
        self.page.wait("$$('tf-mesh-loader canvas').some(visible)", "a canvas")
        self.done("mesh")
        self.assert_drawn("$('tf-mesh-loader canvas')")

    def test_projector(self):
        server.wait_for_plugin("projector")
        self.open("projector")
        self.page.wait("$$('iframe').length === 1")
        self.done("projector")

    def assert_drawn(self, element):
        """The element is not of one colour on the screenshot: WebGL has worked."""
        x, y, w, h = self.page.evaluate(f"(() => {{ const r = {element}.getBoundingClientRect(); "
                                        f"return [r.x, r.y, r.width, r.height]; }})()")
        picture = np.asarray(Image.open(io.BytesIO(self.page.screenshot(work / "part.png"))).convert("RGB"))
        part = picture[int(y):int(y + h), int(x):int(x + w)].reshape(-1, 3)
        self.assertGreater(len(np.unique(part, axis=0)), 20, "nothing is drawn")


def setUpModule():
    global server, browser, run
    subprocess.run([program, work / "logs"], check=True)
    (run,) = [p.name for p in (work / "logs").iterdir()]
    server = TensorBoard(work / "logs", fast=True)
    server.wait_for_scalar(run, "my_scalar", 1000)
    browser = Chromium()


def tearDownModule():
    for thing in (browser, server):
        if thing:
            thing.close()


if __name__ == "__main__":
    program, work = sys.argv[1], Path(sys.argv[2])
    shutil.rmtree(work, ignore_errors=True)
    (work / "screenshots").mkdir(parents=True)
    unittest.main(argv=sys.argv[:1], verbosity=2)
