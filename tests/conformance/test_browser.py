# SPDX-License-Identifier: MIT
"""Chromium opens every tab of TensorBoard and must find what was logged, rendered. Screenshots stay.

usage: test_browser.py LOG_EVERYTHING WORK_FOLDER

Looks at the run that examples/log_everything leaves. Every page must come without an exception, an error on
the console, or a request that failed.
"""
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

from chromium import Chromium
from tabs import Tabs, lengths
from tb import TensorBoard, eventually

program = work = None


class Logger(Tabs):
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
            spots.add(self.picture(self.work / "frame.png").tobytes())
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
        self.server.wait_for_plugin("projector")
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
    subprocess.run([program, work / "logs"], check=True)
    (run,) = [p.name for p in (work / "logs").iterdir()]
    Tabs.work = work
    Tabs.server = TensorBoard(work / "logs", fast=True, samples=None)  # as a user starts it
    Tabs.server.wait_for_scalar(run, "my_scalar", 1000)
    Tabs.browser = Chromium()


def tearDownModule():
    for thing in (Tabs.browser, Tabs.server):
        if thing:
            thing.close()


if __name__ == "__main__":
    program, work = sys.argv[1], Path(sys.argv[2])
    shutil.rmtree(work, ignore_errors=True)
    (work / "screenshots").mkdir(parents=True)
    unittest.main(argv=sys.argv[:1], verbosity=2)
