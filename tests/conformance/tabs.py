# SPDX-License-Identifier: MIT
"""What tests of TensorBoard's pages in Chromium have in common.

    class Run(Tabs):
        def test_scalars(self):
            self.open("scalars")
            self.has("tag: loss")
            self.done("scalars")

    def setUpModule():
        subprocess.run([Tabs.program, ...], cwd=Tabs.work)
        begin("my_logs", ("run", "loss", 100))

    tearDownModule = end

    if __name__ == "__main__":
        main()

usage of such a test: FILE PROGRAM WORK_FOLDER
"""
import csv
import io
import shutil
import sys
import unittest
from pathlib import Path

import numpy as np
from PIL import Image

from chromium import Chromium
from tb import TensorBoard, eventually


def lengths(selector):
    """JavaScript: the lengths of the d attributes of all visible paths found, longest first."""
    return f"$$('{selector}').filter(visible).map(e => (e.getAttribute('d') || '').length).sort((a, b) => b - a)"


class Tabs(unittest.TestCase):
    """One page per test. main sets program and work (screenshots go to work/screenshots), begin the others. Selectors
    are single ones: $$ looks through shadow roots, a compound selector does not.
    """

    program = work = browser = server = None

    def setUp(self):
        self.page = self.browser.page()
        self.addCleanup(self.page.close)

    def _callTestMethod(self, method):
        """Keeps a picture of the page on which a test failed."""
        try:
            super()._callTestMethod(method)
        except Exception:
            self.page.screenshot(self.work / "screenshots" / f"{self._testMethodName}-failed.png")
            raise

    def open(self, tab, height=1100, query="", width=1400):
        self.page.size(width, height)
        self.page.open(f"{self.server.base}/{query}#{tab}")

    def unfold(self):
        """Opens the groups of cards that are closed at first, each once; also those that are yet to come."""
        self.page.wait("$$('button.heading, button.group-toolbar').length > 0", "groups of cards")
        self.page.evaluate("""setInterval(() => [
            ...$$('button.heading').filter(b => !b.hasAttribute('open-button')),
            ...$$('button.group-toolbar').filter(b => b.querySelector('[svgicon=expand_more_24px]'))]
            .filter(b => !b.wasClicked).forEach(b => { b.wasClicked = true; b.click(); }), 200)""")

    def has(self, *texts, root="document.body"):
        for text in texts:
            self.page.wait(f"allText({root}).replace(/\\s+/g, ' ').includes({text!r})", f"the page shows {text!r}")

    def has_tags(self, *tags):
        self.has(*(f"tag: {tag}" for tag in tags))

    def open_projector(self):
        """Opens the tab and returns its document's body: the dashboard is a frame in a frame."""
        self.server.wait_for_plugin("projector")
        self.open("projector")
        frame = "$('iframe').contentDocument.querySelector('iframe').contentDocument.body"
        self.page.wait(f"!!{frame}", "the frame")
        return frame

    def done(self, name, animated=False):
        """Takes the screenshot; complains about anything that the page complained about."""
        if not animated:
            self.page.settle()
        picture = self.picture(self.work / "screenshots" / f"{name}.png")
        self.assertIsNone(Image.fromarray(picture).getcolors(50), "an empty page")  # it has more colours than 50
        self.assertEqual(self.page.problems, [])

    def picture(self, path):
        return np.asarray(Image.open(io.BytesIO(self.page.screenshot(path))).convert("RGB"))

    def wait_for_colors(self, element, colors):
        """Each of the colours appears in the element's part of the page (a camera may move): WebGL works."""
        missing = set(colors)

        def check():
            x, y, w, h = self.page.evaluate(f"(() => {{ const r = {element}.getBoundingClientRect(); "
                                            f"return [r.x, r.y, r.width, r.height].map(Math.round); }})()")
            part = self.picture(self.work / "frame.png")[max(y, 0):y + h, max(x, 0):x + w].reshape(-1, 3).astype(int)
            for color in list(missing):
                if (np.abs(part - color).max(axis=1) < 60).mean() > 0.0005:
                    missing.remove(color)
            assert not missing, f"never seen: {missing}"
            return True

        eventually(check)

    def lines_are_drawn(self):
        """Every chart of the Time Series tab holds coloured pixels, more than its last point alone has."""
        picture = self.picture(self.work / "frame.png").astype(int)
        boxes = self.page.evaluate("$$('canvas').map(e => e.getBoundingClientRect()).filter(r => r.width > 0)"
                                   ".map(r => [r.x, r.y, r.width, r.height].map(Math.round))")
        self.assertGreaterEqual(len(boxes), 6)
        for x, y, w, h in (box for box in boxes if box[1] < len(picture)):
            part = picture[y:y + h, x:x + w]
            self.assertGreater((part.max(axis=2) - part.min(axis=2) > 20).sum(), 200, f"chart at {x}, {y}")
        return True


def begin(logdir, *points):
    """TensorBoard as a user starts it, with these points (run, tag, step) loaded, and a browser."""
    Tabs.server = TensorBoard(Tabs.work / logdir, fast=True, samples=None)
    for point in points:
        Tabs.server.wait_for_scalar(*point)
    Tabs.browser = Chromium()


def end():
    for thing in (Tabs.browser, Tabs.server):
        if thing:
            thing.close()


def metrics(run):
    """The rows of a run's metrics.csv."""
    with open(run / "metrics.csv", newline="") as file:
        return list(csv.DictReader(file))


def main():
    Tabs.program, Tabs.work = Path(sys.argv[1]).resolve(), Path(sys.argv[2])
    shutil.rmtree(Tabs.work, ignore_errors=True)
    (Tabs.work / "screenshots").mkdir(parents=True)
    unittest.main(argv=sys.argv[:1], verbosity=2)
