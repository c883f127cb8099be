# SPDX-License-Identifier: MIT
"""Chromium opens what `spur train` leaves: a U-Net on generated scenes, and sounds in classes with embeddings.

usage: test_browser_train.py SPUR WORK_FOLDER

The two runs share a log directory, as a user's would. Screenshots stay.
"""
import subprocess

from tabs import Tabs, begin, end, lengths, main, metrics
from tb import eventually

SCENES = """
[run]
name = scenes
[data]
format = buildings
size = 64x64
samples = 64
val_samples = 16
batch_size = 8
[augment]
horizontal_flip = 0.5
rotation = 10
[balance]
method = class_weights
[model]
name = unet
base_filters = 8
depth = 2
norm = batch
[loss]
name = cross_entropy
[optimizer]
name = adam
lr = 0.01
[train]
epochs = 3
metrics = iou(class=1), pixel_accuracy
[log]
scalars_every = 1
"""
SOUNDS = """
[run]
name = sounds
[data]
format = tones
samples = 96
val_samples = 32
[model]
name = cnn
[optimizer]
name = adam
lr = 0.003
[train]
epochs = 2
[log]
embeddings = 32
"""

scenes = sounds = None  # names of the runs


class Run(Tabs):
    def test_time_series(self):
        self.open("timeseries", height=1900, query="?tagFilter=epoch_")
        self.unfold()
        self.page.wait("$$('scalar-card').some(e => /epoch_loss[^]*scenes.train[^]*scenes.validation/.test(e.innerText))",
                       "training and validation in one card")
        self.has("epoch_iou_class_1", "epoch_learning_rate", "epoch_accuracy")
        eventually(self.lines_are_drawn)
        self.done("timeseries", animated=True)

    def test_scalars(self):
        self.open("scalars", height=5200)
        self.page.wait("$$('button.heading').length >= 6", "groups")
        self.unfold()
        self.has_tags("batch_loss", "batch_gradient_norm", "epoch_loss", "epoch_iou_class_1", "epoch_accuracy",
                      "epoch_learning_rate", "evaluation_loss_vs_iterations", "perf/samples_per_second")
        self.page.wait("$$('tf-scalar-card, tf-line-chart-data-loader, vz-line-chart2').length >= 10", "charts")
        self.page.wait(f"{lengths('path.line')}.filter(n => n > 20).length >= 12", "lines")
        self.done("scalars")

    def test_images(self):
        self.open("images", height=3600)
        self.unfold()
        self.has_tags("images/training", "images/validation", "images/worst", "confusion_matrix", "data/classes",
                      "data/class_weights")
        self.page.wait("$$('img').filter(e => e.complete && e.naturalWidth > 300).length >= 9", "pictures")
        self.done("images", animated=True)

    def test_graphs(self):
        self.open("graphs")
        self.page.wait("$$('g').some(e => e.getAttribute('data-name') === 'input')", "the input")
        self.page.wait("$$('path.edgeline').length >= 3", "edges")
        self.done("graphs")

    def test_hparams(self):
        self.open("hparams", width=2400)
        self.has("Trial ID", "model", "unet", "cnn", "lr", "buildings", "tones", scenes[:16])
        self.done("hparams")

    def test_hparams_hold_the_final_metrics(self):
        request = {"experimentName": "", "colParams": [], "startIndex": 0, "sliceSize": 10,
                   "allowedStatuses": ["STATUS_UNKNOWN", "STATUS_SUCCESS", "STATUS_FAILURE", "STATUS_RUNNING"]}
        groups = self.server.post_json("/data/plugin/hparams/session_groups", request)["sessionGroups"]
        self.assertEqual({g["name"] for g in groups}, {scenes, sounds})
        for group in groups:
            (session,) = group["sessions"]
            self.assertEqual(session["status"], "STATUS_SUCCESS")
            last = metrics(self.work / "my_logs" / group["name"])[-1]
            for metric in session["metricValues"]:
                name = metric["name"]
                if name.get("group") == "validation" and name["tag"].startswith("epoch_"):
                    column = "val_" + name["tag"][len("epoch_"):]
                    self.assertAlmostEqual(metric["value"], float(last[column]), places=5)

    def test_histograms(self):
        self.open("histograms", height=2600)
        self.page.wait("$$('button.heading').length >= 2", "groups")
        self.unfold()
        self.page.wait("$$('path.outline').filter(e => e.getAttribute('d').length > 200).length >= 3", "outlines")
        self.done("histograms")

    def test_distributions(self):
        self.open("distributions", height=2000)
        self.unfold()
        self.page.wait(f"{lengths('path.area')}.filter(n => n > 20).length >= 8", "bands")
        self.done("distributions")

    def test_text(self):
        self.open("text", height=5200)
        self.unfold()
        self.has("tag: config")
        self.page.wait("$$('td').some(e => e.textContent.trim() === 'base_filters')", "the configuration as a table")
        self.page.wait("$$('td').some(e => e.textContent.trim() === 'building')", "the classes as a table")
        self.page.wait("$$('code, pre').some(e => /macro avg/.test(e.textContent))", "the classification report")
        self.done("text")

    def test_pr_curves(self):
        self.open("pr_curves", height=2200)
        self.unfold()
        self.has("pr_curve/building")
        self.page.wait(f"{lengths('path.line')}[0] > 300", "a curve")
        self.done("pr_curves")

    def test_custom_scalars(self):
        self.open("custom_scalars", height=3000)
        self.unfold()
        self.has("Epochs", "Steps", "Machine", "learning rate", "iou_class_1", "gradient norm", "memory, MB")
        self.page.wait(f"{lengths('path.line')}.filter(n => n > 10).length >= 4", "lines")
        self.done("custom_scalars")

    def test_audio(self):
        self.open("audio", height=1800)
        self.unfold()
        self.page.wait("$$('audio').filter(e => e.duration > 0.1).length >= 2", "sounds")
        self.page.wait("$$('tf-audio-loader').some(e => /(sine|square|noise|chord|rising|falling).*\\(\\d+ %\\)/"
                       ".test(allText(e)))", "label and answer")
        self.done("audio")

    def test_projector(self):
        frame = self.open_projector()
        self.has("Points: 32", "features:00002", "Total variance described", root=frame)
        self.page.wait(f"!/Computing PCA/.test(allText({frame}))", "the projection")
        self.done("projector", animated=True)


def setUpModule():
    global scenes, sounds
    for name, text in (("scenes", SCENES), ("sounds", SOUNDS)):
        (Tabs.work / f"{name}.ini").write_text(text)
        subprocess.run([Tabs.program, "train", f"{name}.ini", "--quiet"], cwd=Tabs.work, check=True)
    scenes, sounds = sorted((p.name for p in (Tabs.work / "my_logs").iterdir()), key=lambda n: n.split("_")[-1])
    begin("my_logs", (f"{scenes}/validation", "epoch_loss", 3), (f"{sounds}/validation", "epoch_loss", 2))


tearDownModule = end

if __name__ == "__main__":
    main()
