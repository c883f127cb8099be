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
from tb import TensorBoard, eventually

program = work = None
server = browser = run = None


def lengths(selector):
    """JavaScript: the lengths of the d attributes of all visible paths found, longest first."""
    return f"$$('{selector}').filter(visible).map(e => (e.getAttribute('d') || '').length).sort((a, b) => b - a)"


class Tabs(unittest.TestCase):
    """Selectors are single ones: $$ looks through shadow roots, a compound selector does not."""

    def setUp(self):
        self.page = browser.page()
        self.addCleanup(self.page.close)

    def _callTestMethod(self, method):
        """Keeps a picture of the page on which a test failed."""
        try:
            super()._callTestMethod(method)
        except Exception:
            self.page.screenshot(work / "screenshots" / f"{self._testMethodName}-failed.png")
            raise

    def open(self, tab, height=1100):
        self.page.size(1400, height)
        self.page.open(f"{server.base}/#{tab}")

    def unfold(self):
        """Opens the groups of cards that are closed at first."""
        self.page.evaluate("""[...$$('button.heading').filter(b => !b.hasAttribute('open-button')),
            ...$$('button.group-toolbar').filter(b => b.querySelector('[svgicon=expand_more_24px]'))]
            .forEach(b => b.click())""")

    def has(self, text, root="document.body"):
        self.page.wait(f"allText({root}).replace(/\\s+/g, ' ').includes({text!r})", f"the page shows {text!r}")

    def done(self, name, animated=False):
        """Takes the screenshot; complains about anything that the page complained about."""
        if not animated:
            self.page.settle()
        picture = self.picture(work / "screenshots" / f"{name}.png")
        self.assertGreater(len(np.unique(picture.reshape(-1, 3), axis=0)), 50, "an empty page")
        self.assertEqual(self.page.problems, [])

    def picture(self, path):
        return np.asarray(Image.open(io.BytesIO(self.page.screenshot(path))).convert("RGB"))

    def wait_for_colors(self, element, colors):
        """Each of the colours appears in the element's part of the page (a camera may move): WebGL works."""
        missing = set(colors)

        def check():
            x, y, w, h = self.page.evaluate(f"(() => {{ const r = {element}.getBoundingClientRect(); "
                                            f"return [r.x, r.y, r.width, r.height].map(Math.round); }})()")
            part = self.picture(work / "frame.png")[max(y, 0):y + h, max(x, 0):x + w].reshape(-1, 3).astype(int)
            for color in list(missing):
                if (np.abs(part - color).max(axis=1) < 60).mean() > 0.0005:
                    missing.remove(color)
            assert not missing, f"never seen: {missing}"
            return True

        eventually(check)

    def test_time_series(self):
        self.open("timeseries", height=4600)
        self.page.wait("$$('button.group-toolbar').length >= 5", "groups of cards")
        self.unfold()
        for card in ("scalar-card", "histogram-card", "image-card"):
            self.page.wait(f"$$('{card}').length >= 1", card)
        self.page.wait("$$('image-card img').filter(e => e.complete && e.naturalWidth === 32).length >= 2", "images")
        self.page.wait(f"{lengths('histogram-card path')}[0] > 100", "a histogram")
        for tag in ("my_scalar", "my_hist", "my_images", "epoch_loss"):
            self.has(tag)
        # The data table below a chart gives the last point of each line.
        self.page.wait("$$('scalar-card').some(e => /my_scalar[^]*1,?000/.test(e.innerText))", "step 1000 of my_scalar")
        self.page.wait("$$('scalar-card').some(e => /epoch_loss[^]*train[^]*validation/.test(e.innerText))",
                       "two runs in one card")
        eventually(self.lines_are_drawn)
        self.done("timeseries", animated=True)

    def lines_are_drawn(self):
        """Every chart holds coloured pixels, more than its last point alone has."""
        picture = self.picture(work / "frame.png").astype(int)
        boxes = self.page.evaluate("$$('canvas').map(e => e.getBoundingClientRect()).filter(r => r.width > 0)"
                                   ".map(r => [r.x, r.y, r.width, r.height].map(Math.round))")
        self.assertGreaterEqual(len(boxes), 6)
        for x, y, w, h in boxes:
            part = picture[y:y + h, x:x + w]
            self.assertGreater((part.max(axis=2) - part.min(axis=2) > 20).sum(), 200, f"chart at {x}, {y}")
        return True

    def test_scalars(self):
        self.open("scalars", height=1800)
        self.page.wait("$$('button.heading').length === 4", "four groups")
        self.unfold()
        self.page.wait(f"{lengths('path.line')}[0] > 2000", "the sine")
        for tag in ("my_scalar", "epoch_loss", "epoch_accuracy"):
            self.has(f"tag: {tag}")
        self.done("scalars")

    def test_images(self):
        self.open("images", height=1600)
        self.page.wait("$$('img').filter(e => e.complete && e.naturalWidth === 32 && e.naturalHeight === 32)"
                       ".length === 3", "two images and an animation of 32 x 32 pixels")
        self.has("my_images")
        self.has("sample: 2 of 2 step 1,000")
        self.has("tag: animation")
        self.done("images", animated=True)
        spots = set()
        for _ in range(8):  # the animation plays: its pictures differ
            spots.add(self.picture(work / "frame.png").tobytes())
        self.assertGreater(len(spots), 1, "the animation stands still")

    def test_audio(self):
        self.open("audio")
        self.page.wait("$$('audio').some(e => Math.abs(e.duration - 12000 / 48000) < 0.001)",
                       "a sound of 12000 samples at 48 kHz")
        self.has("tag: my_audio step 1000")
        self.done("audio")

    def test_graphs(self):
        self.open("graphs")
        self.page.wait("$$('path.edgeline').length >= 2", "edges")
        for node in ("images", "hidden", "output"):
            self.page.wait(f"$$('g').some(e => e.getAttribute('data-name') === '{node}')", f"node {node}")
        self.page.wait("$$('textpath, textPath').some(e => /784/.test(e.textContent))", "a shape on an edge")
        self.done("graphs")

    def test_distributions(self):
        self.open("distributions")
        self.page.wait(f"{lengths('path.area')}[7] > 1000", "eight bands")
        self.has("tag: my_hist")
        self.done("distributions")

    def test_histograms(self):
        self.open("histograms")
        self.page.wait("$$('path.outline').length === 51", "51 steps")
        self.page.wait("$$('path.outline').every(e => e.getAttribute('d').length > 200)", "outlines")
        self.has("tag: my_hist")
        self.done("histograms")

    def test_text(self):
        self.open("text", height=4000)
        self.page.wait("$$('button.heading').length === 3", "three groups")
        self.unfold()
        self.page.wait("$$('td').some(e => e.textContent.trim() === 'Square: 1000000')", "the row of the last step")
        self.page.wait("$$('h1').some(e => e.textContent === 'Notes')", "a Markdown heading")
        self.page.wait("$$('strong').some(e => e.textContent === 'cat')", "Markdown in a table")
        self.done("text")

    def test_pr_curves(self):
        self.open("pr_curves")
        self.page.wait(f"{lengths('path.line')}[0] > 500", "a curve")
        self.has("is at step 4")
        self.done("pr_curves")

    def test_hparams(self):
        self.open("hparams")
        for text in ("Trial ID", "lr", "optimizer", "augment", "adam", "0.0010000", "true", "my_scalar"):
            self.has(text)
        self.done("hparams")

    def test_mesh(self):
        self.open("mesh")
        self.page.wait("$$('canvas').some(visible)", "a canvas")
        self.wait_for_colors("$$('canvas').filter(visible)[0]", [(0, 0, 255), (0, 110, 0), (130, 0, 0)])
        self.done("mesh")

    def test_custom_scalars(self):
        self.open("custom_scalars")
        for title in ("Overview", "Both curves", "Mean and spread"):
            self.has(title)
        self.page.wait(f"{lengths('path.line')}[0] > 500", "lines")
        self.page.wait(f"{lengths('path.area')}[0] > 500", "a margin")
        self.done("custom_scalars")

    def test_projector(self):
        server.wait_for_plugin("projector")
        self.open("projector")
        outer = "$('iframe').contentDocument"  # the dashboard is a frame in a frame
        frame = f"{outer}.querySelector('iframe').contentDocument.body"
        self.page.wait(f"!!{frame}", "the frame")
        self.has("Points: 150", frame)
        self.has("Dimension: 8", frame)
        self.has("clouds:00000", frame)
        self.wait_for_colors("$('iframe')", [(210, 0, 0), (0, 210, 0), (0, 0, 210)])
        self.done("projector", animated=True)  # the camera goes round


def setUpModule():
    global server, browser, run
    subprocess.run([program, work / "logs"], check=True)
    (run,) = [p.name for p in (work / "logs").iterdir()]
    server = TensorBoard(work / "logs", fast=True, samples=None)  # as a user starts it
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
