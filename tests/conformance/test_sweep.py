# SPDX-License-Identifier: MIT
"""A small sweep of the trainer in the real TensorBoard: a session per trial, a group per configuration, metrics as in
metrics.csv, and the bands over seeds.

usage: test_sweep.py fast|slow SPUR FOLDER
"""
import csv
import shutil
import sys
import unittest
from pathlib import Path

import small_sweep
from tb import TensorBoard, eventually

REQUEST = {"experimentName": "", "colParams": [], "startIndex": 0, "sliceSize": 100,
           "allowedStatuses": ["STATUS_UNKNOWN", "STATUS_SUCCESS", "STATUS_FAILURE", "STATUS_RUNNING"]}


class Sweep(unittest.TestCase):
    def groups(self):
        def check():
            groups = server.post_json("/data/plugin/hparams/session_groups", REQUEST)["sessionGroups"]
            assert len(groups) == 4 and sum(len(g["sessions"]) for g in groups) == 8, f"{len(groups)} groups"
            assert all(len(s.get("metricValues", [])) > 3 for g in groups for s in g["sessions"])
            return groups

        return eventually(check)

    def test_a_group_is_a_configuration(self):
        found = {(g["hparams"]["lr"], g["hparams"]["normalization"]) for g in self.groups()}
        self.assertEqual(found, {(lr, n) for lr in (0.01, 0.001) for n in ("none", "dataset")})

    def test_sessions_are_the_seeds_and_succeeded(self):
        for group in self.groups():
            names = sorted(s["name"] for s in group["sessions"])
            trial = names[0].split("_seed_")[0]
            self.assertEqual(names, [f"{trial}_seed_{seed}" for seed in (1, 2)])
            self.assertEqual({s["status"] for s in group["sessions"]}, {"STATUS_SUCCESS"})

    def test_metrics_are_those_of_the_table(self):
        for group in self.groups():
            for session in group["sessions"]:
                with open(work / "my_logs/small" / session["name"] / "metrics.csv", newline="") as f:
                    last = list(csv.DictReader(f))[-1]
                got = {(m["name"]["group"], m["name"]["tag"]): m["value"] for m in session["metricValues"]}
                for name, column in ((("validation", "epoch_accuracy"), "val_accuracy"),
                                     (("validation", "epoch_loss"), "val_loss"), (("train", "epoch_loss"), "loss")):
                    self.assertAlmostEqual(got[name], float(last[column]), places=5)

    def test_columns_of_the_tab(self):
        experiment = server.post_json("/data/plugin/hparams/experiment", {"experimentName": ""})
        names = {h["name"] for h in experiment["hparamInfos"]}
        self.assertEqual({"lr", "normalization"}, names)  # a group's seed would be that of any of its sessions

    def test_bands(self):
        layout = eventually(lambda: server.json("/data/plugin/custom_scalars/layout") or None)
        charts = [c for category in layout["category"] for c in category["chart"]]
        self.assertIn("validation/epoch_loss", [c["title"] for c in charts])
        run, values = "groups/config_0001", []
        for part in ("lower", "mean", "upper"):
            points = server.json("/data/plugin/scalars/scalars", run=run, tag="validation/epoch_loss/" + part)
            values.append([p[2] for p in points])
        for low, mean, high in zip(*values):
            self.assertLessEqual(low, mean)
            self.assertAlmostEqual(high - mean, mean - low, places=5)


server = None


def setUpModule():
    global server
    server = TensorBoard(work / "my_logs/small", LOADER == "fast")
    server.wait_for_scalar("groups/config_0004", "validation/epoch_loss/upper", 2)


def tearDownModule():
    if server:
        server.close()


if __name__ == "__main__":
    LOADER, program, work = sys.argv[1], Path(sys.argv[2]).resolve(), Path(sys.argv[3])
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    small_sweep.run(program, work, epochs=2, seeds=2)
    unittest.main(argv=sys.argv[:1], verbosity=2)
