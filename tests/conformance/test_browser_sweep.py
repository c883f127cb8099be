# SPDX-License-Identifier: MIT
"""Chromium opens what a sweep leaves: the three views of the HParams tab, and the bands over seeds.

usage: test_browser_sweep.py SPUR WORK_FOLDER

The sweep is that of small_sweep.py, with three seeds for each configuration. Screenshots stay.
"""
import small_sweep
from small_sweep import GROUPS
from tabs import Tabs, begin, end, lengths, main, metrics

SEEDS, EPOCHS = (1, 2, 3), 6


class Sweep(Tabs):
    """Wide pages: five metrics are shown beside the hyper-parameters."""

    def open_hparams(self, view=None):
        self.open("hparams", width=2400)
        self.has(f"config_{GROUPS:04d}")
        if view:
            self.page.click(f"$$('paper-tab').find(e => e.textContent.trim() === '{view}')")

    def test_table(self):
        self.open_hparams()
        self.has("Trial ID", "lr", "normalization", "dataset", "0.010000", "train.batch_loss")
        hparams = self.page.evaluate("$$('.hparam-checkbox').map(e => e.textContent.trim())")
        self.assertEqual(hparams, ["lr", "normalization"])
        self.page.click("$$('.metric-checkbox').find(e => e.textContent.trim() === 'validation.epoch_loss')")
        for configuration in range(1, GROUPS + 1):  # the mean over the seeds
            runs = [self.work / f"my_logs/small/trial_{configuration:04d}_seed_{seed}" for seed in SEEDS]
            last = [float(metrics(run)[-1]["val_loss"]) for run in runs]
            self.has(f"{sum(last) / len(last):.5g}"[:5])
        self.done("hparams_table")
        self.page.click("$$('.table-cell').filter(e => e.tagName === 'PAPER-CHECKBOX' && visible(e))[0]")
        self.has("tag: epoch_loss")  # the group's curves
        self.page.wait(f"{lengths('path.line')}.filter(n => n > 60).length >= {5 * len(SEEDS)}", "a curve for each seed")
        self.done("hparams_curves", animated=True)

    def test_parallel_coordinates(self):
        self.open_hparams("PARALLEL COORDINATES VIEW")
        self.page.wait("$$('g.axis').length === 7", "two hyper-parameters and five metrics")
        lines = "$$('g.foreground').flatMap(g => [...g.querySelectorAll('path')]).filter(visible)"
        self.page.wait(f"{lines}.length === {GROUPS}", "a line for each group")
        self.done("hparams_parallel")

    def test_scatter(self):
        self.open_hparams("SCATTER PLOT MATRIX VIEW")
        self.page.wait(f"$$('circle').filter(visible).length === {7 * 5 * GROUPS}", "a dot for each group in every plot")
        self.done("hparams_scatter")

    def test_bands(self):
        self.open("custom_scalars", height=2400)
        self.unfold()
        self.has("mean and standard deviation over seeds", "validation/epoch_loss")
        for kind, charts in (("path.line", 7), ("path.area", 6)):  # the learning rate's band has no height
            self.page.wait(f"{lengths(kind)}.filter(n => n > 60).length >= {charts * GROUPS}",
                           f"{kind} of each configuration in {charts} charts")
        self.done("bands")


def setUpModule():
    small_sweep.run(Tabs.program, Tabs.work, epochs=EPOCHS, seeds=len(SEEDS))
    begin("my_logs/small", (f"groups/config_{GROUPS:04d}", "validation/epoch_loss/upper", EPOCHS))


tearDownModule = end

if __name__ == "__main__":
    main()
