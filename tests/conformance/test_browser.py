# SPDX-License-Identifier: MIT
"""Chromium opens every tab of TensorBoard and must find what was logged, rendered. Screenshots stay.

usage: test_browser.py LOG_EVERYTHING WORK_FOLDER

Looks at the run that examples/log_everything leaves. Every page must come without an exception, an error on
the console, or a request that failed.
"""
import subprocess

from tabs import Tabs, begin, end, lengths, main
from tb import eventually



class Logger(Tabs):
    def test_time_series(self):
        self.open("timeseries", height=4600)
        self.page.wait("$$('button.group-toolbar').length >= 5", "groups of cards")
        self.unfold()
        for card in ("scalar-card", "histogram-card", "image-card"):
            self.page.wait(f"$$('{card}').length >= 1", card)
        self.page.wait("$$('image-card img').filter(e => e.complete && e.naturalWidth === 32).length >= 2", "images")
        self.page.wait(f"{lengths('histogram-card path')}[0] > 100", "a histogram")
        self.has("my_scalar", "my_hist", "my_images", "epoch_loss")
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
        self.has_tags("my_scalar", "epoch_loss", "epoch_accuracy")
        self.done("scalars")

    def test_images(self):
        self.open("images", height=2000)
        self.unfold()
        self.page.wait("$$('img').filter(e => e.complete && e.naturalWidth === 32 && e.naturalHeight === 32)"
                       ".length === 3", "two images and an animation of 32 x 32 pixels")
        self.has("my_images", "sample: 2 of 2 step 1,000", "tag: animation")
        self.done("images", animated=True)
        first = self.picture(self.work / "frame.png").tobytes()
        # the animation plays: another picture comes
        eventually(lambda: self.picture(self.work / "frame.png").tobytes() != first or None)

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
        self.has("Trial ID", "lr", "optimizer", "augment", "adam", "0.0010000", "true", "my_scalar")
        self.done("hparams")

    def test_mesh(self):
        self.open("mesh")
        self.page.wait("$$('canvas').some(visible)", "a canvas")
        self.wait_for_colors("$$('canvas').filter(visible)[0]", [(0, 0, 255), (0, 110, 0), (130, 0, 0)])
        self.done("mesh")

    def test_custom_scalars(self):
        self.open("custom_scalars")
        self.has("Overview", "Both curves", "Mean and spread")
        self.page.wait(f"{lengths('path.line')}[0] > 500", "lines")
        self.page.wait(f"{lengths('path.area')}[0] > 500", "a margin")
        self.done("custom_scalars")

    def test_projector(self):
        frame = self.open_projector()
        self.has("Points: 150", "Dimension: 8", "clouds:00000", root=frame)
        self.wait_for_colors("$('iframe')", [(210, 0, 0), (0, 210, 0), (0, 0, 210)])
        self.done("projector", animated=True)  # the camera goes round


def setUpModule():
    subprocess.run([Tabs.program, Tabs.work / "logs"], check=True)
    (run,) = [p.name for p in (Tabs.work / "logs").iterdir()]
    begin("logs", (run, "my_scalar", 1000))


tearDownModule = end

if __name__ == "__main__":
    main()
