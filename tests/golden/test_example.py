#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The example train_mnist on real digits: it learns them, and leaves curves and weights.

usage: test_example.py PROGRAM SOURCE_FOLDER

Exit status 77, with the reason, where the data are missing (SPUR_TEST_DATA may name their folder).
"""
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path


def main():
    program, source = Path(sys.argv[1]).resolve(), sys.argv[2]
    folder = Path(os.environ.get("SPUR_TEST_DATA") or Path(source).parent / "shared" / "data") / "mnist-10k"
    if not folder.is_dir():
        print(f"skipped: no {folder}")
        return 77
    with tempfile.TemporaryDirectory() as work:
        run = subprocess.run([program, folder, "2", "16x16"], cwd=work, capture_output=True, text=True)
        print(run.stdout, run.stderr)
        assert run.returncode == 0
        accuracy = [float(x) for x in re.findall(r"test loss \S+ accuracy (\S+)", run.stdout)]
        assert len(accuracy) == 2 and accuracy[1] > 0.93, accuracy
        (weights,) = Path(work).glob("my_logs/run_*_mnist/weights.safetensors")
        assert weights.stat().st_size > 1 << 20
        for part in ("train", "validation"):
            (events,) = weights.parent.glob(f"{part}/events.out.tfevents.*")
            assert events.stat().st_size > 200
        run = subprocess.run([program, work], cwd=work, capture_output=True, text=True)
        assert run.returncode == 1 and run.stderr.startswith("train_mnist: "), run
    return 0


if __name__ == "__main__":
    sys.exit(main())
