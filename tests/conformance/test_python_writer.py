# SPDX-License-Identifier: MIT
"""`spur inspect` and `spur export` read the files of TensorBoard's own Python writer, new forms and old ones.

usage: test_python_writer.py SPUR WORK_FOLDER
"""
import itertools
import json
import math
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

import python_writer

spur = work = expected = None


def call(*arguments):
    """Standard output of spur; its exit status must be 0."""
    done = subprocess.run([spur, *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, f"spur {arguments}: status {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


def export(kind, *more):
    """The exported rows; -0 keeps its sign."""
    return json.loads(call("export", work / "logs", "--kind", kind, "--json", *more), parse_int=float)


def written(kind):
    """(run, tag, step, value) as TensorBoard's writer was told."""
    return [(run, tag, step, value) for run, tags in expected.items() for tag, (k, points) in tags.items()
            if k == kind for step, value in points]


def grouped(rows):
    """{(run, tag, step): rows}, in order."""
    return {key: list(group) for key, group in itertools.groupby(
        rows, lambda row: (row["run"], row["tag"], row["step"]))}


class PythonWriter(unittest.TestCase):
    def test_inspect(self):
        runs = {run["run"]: run for run in json.loads(call("inspect", work / "logs", "--json"))["runs"]}
        self.assertEqual(set(runs), set(expected))
        for run, tags in expected.items():
            found = {t["tag"]: t for t in runs[run]["tags"] if t["kind"] not in ("hparams", "layout")}
            self.assertEqual(set(found), set(tags))
            self.assertEqual((runs[run]["damage"], runs[run]["has_version"]), (0, True))
            for tag, (kind, points) in tags.items():
                steps = [step for step, _ in points]
                got = found[tag]
                self.assertEqual((got["kind"], got["count"], got["first_step"], got["last_step"], got["min_step"],
                                  got["max_step"]),
                                 (kind, len(steps), steps[0], steps[-1], min(steps), max(steps)), tag)
                self.assertEqual(got["falling"], sum(b < a for a, b in zip(steps, steps[1:])), tag)
        self.assertEqual(runs["session"]["starts"], 1)
        loss = next(t for t in runs["new"]["tags"] if t["tag"] == "loss")
        self.assertEqual((loss["display_name"], loss["description"]), ("Loss", "the *loss*"))

    def test_scalars(self):
        rows = export("scalar")
        want = written("scalar")
        self.assertEqual([(r["run"], r["tag"], r["step"]) for r in rows], [w[:3] for w in want])
        for row, (*_, value) in zip(rows, want):
            got = float(row["value"]) if not isinstance(row["value"], str) else \
                {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}[row["value"]]
            same = math.isnan(got) and math.isnan(value) or \
                (got == value and math.copysign(1, got) == math.copysign(1, value))
            self.assertTrue(same, f"{row}: expected {value!r}")
        times = [row["wall_time"] for row in rows if row["run"] == "new" and row["tag"] == "loss"]
        self.assertEqual(times, [python_writer.START + 0.5 * (i + 1) for i in range(20)])

    def test_superseded(self):
        rows = export("scalar", "--run", "session", "--supersede")
        self.assertEqual([(r["step"], r["value"]) for r in rows], [(1, 1), (2, 2), (3, 3), (4, 4)])

    def test_histograms(self):
        rows = grouped(export("histogram"))
        self.assertEqual(len(rows), len(written("histogram")))
        for run, tag, step, want in written("histogram"):
            got = [[r["left"], r["right"], r["count"]] for r in rows[run, tag, step]]
            self.assertEqual(got, want, tag)

    def test_texts(self):
        rows = grouped(export("text"))
        for run, tag, step, want in written("text"):
            cells = want if isinstance(want, list) else [want]
            cells = [c for row in cells for c in (row if isinstance(row, list) else [row])]
            self.assertEqual([r["text"] for r in rows[run, tag, step]], cells)

    def test_pr_curves(self):
        rows = grouped(export("pr_curve"))
        for run, tag, step, want in written("pr_curve"):
            names = ("true_positives", "false_positives", "true_negatives", "false_negatives", "precision", "recall")
            self.assertEqual([[r[name] for r in rows[run, tag, step]] for name in names], want)

    def test_files(self):
        for kind in ("image", "audio"):
            rows = grouped(export(kind, "-o", work / kind))
            self.assertEqual(len(rows), len(written(kind)))
            for run, tag, step, want in written(kind):
                self.assertEqual([Path(r["file"]).read_bytes() for r in rows[run, tag, step]], want, tag)

    def test_hparams(self):
        (row,) = export("hparams")
        self.assertEqual((row["run"], row["lr"], row["name"], row["nesterov"], row["back"]),
                         ("session", 0.1, "adam", True, 4))


if __name__ == "__main__":
    spur, work = sys.argv[1], Path(sys.argv[2])
    shutil.rmtree(work, ignore_errors=True)
    expected = python_writer.write_all(work / "logs")
    unittest.main(argv=sys.argv[:1], verbosity=2)
