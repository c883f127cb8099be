#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""ONNX models of every operation and model: valid to ONNX's checker, and with the same results in
ONNX Runtime, for the whole batch and for its first sample alone.

usage: test_onnx.py PROGRAM DIR
"""
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime


def values_of(case):
    """(role, name, array) of each line of values.txt."""
    for number, line in enumerate((case / "values.txt").read_text().splitlines()):
        role, name, kind, *sizes = line.split()
        values = np.fromfile(case / f"{number}.bin", kind).reshape(list(map(int, sizes)))
        yield role, name, values


def check_model(case):
    path = case / "model.onnx"
    onnx.checker.check_model(path, full_check=True)
    model = onnx.load(path)
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    assert metadata == {"classes": "a\nb", "case": case.name}, metadata
    assert (model.graph.name, model.doc_string) == (case.name, "a test")
    assert (model.producer_name, model.ir_version, model.opset_import[0].version) == ("spur", 8, 18)
    return path


def compare(case, session, inputs, outputs, count):
    feed = {name: values[:count] for name, values in inputs.items()}
    results = session.run(list(outputs), feed)
    worst = 0.0
    for (name, expected), found in zip(outputs.items(), results):
        expected = expected[:count]
        assert found.shape == expected.shape, (case.name, name, found.shape, expected.shape)
        distance = np.linalg.norm(found - expected) / max(np.linalg.norm(expected), 1e-9)
        assert distance <= 1e-5, (case.name, name, distance)
        worst = max(worst, distance)
    return worst


def main():
    program, directory = sys.argv[1], Path(sys.argv[2])
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    subprocess.run([program, directory], check=True)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    cases = sorted(directory.iterdir())
    assert len(cases) >= 19, cases
    for case in cases:
        path = check_model(case)
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        inputs, outputs = {}, {}
        for role, name, values in values_of(case):
            (inputs if role == "input" else outputs)[name] = values
        assert {i.name: i.shape[0] for i in session.get_inputs()} == {name: "batch" for name in inputs}
        worst = max(compare(case, session, inputs, outputs, count) for count in (None, 1))
        print(f"{case.name}: {len(outputs)} outputs, differ by {worst:.1e} at most")


if __name__ == "__main__":
    main()
