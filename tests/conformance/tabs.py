# SPDX-License-Identifier: MIT
"""What tests of TensorBoard's pages in Chromium have in common."""
import io
import unittest

import numpy as np
from PIL import Image

from tb import eventually


def lengths(selector):
    """JavaScript: the lengths of the d attributes of all visible paths found, longest first."""
    return f"$$('{selector}').filter(visible).map(e => (e.getAttribute('d') || '').length).sort((a, b) => b - a)"


class Tabs(unittest.TestCase):
    """One page per test. The module sets browser, server and work (screenshots go to work/screenshots). Selectors
    are single ones: $$ looks through shadow roots, a compound selector does not.
    """

    browser = server = work = None

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
        """Opens the groups of cards that are closed at first."""
        self.page.wait("$$('button.heading, button.group-toolbar').length > 0", "groups of cards")
        self.page.evaluate("""[...$$('button.heading').filter(b => !b.hasAttribute('open-button')),
            ...$$('button.group-toolbar').filter(b => b.querySelector('[svgicon=expand_more_24px]'))]
            .forEach(b => b.click())""")

    def has(self, text, root="document.body"):
        self.page.wait(f"allText({root}).replace(/\\s+/g, ' ').includes({text!r})", f"the page shows {text!r}")

    def done(self, name, animated=False):
        """Takes the screenshot; complains about anything that the page complained about."""
        if not animated:
            self.page.settle()
        picture = self.picture(self.work / "screenshots" / f"{name}.png")
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
