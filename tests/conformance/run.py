#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs one module of conformance tests in the Python that has TensorBoard and ONNX Runtime; 77 (skipped) where there is none.

usage: run.py [--python PATH] [--browser] MODULE [ARGUMENT...]
"""
import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
SKIPPED = 77


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(SKIPPED)


def find_python(given):
    candidates = [given, os.environ.get("SPUR_PYTHON"), str(HERE.parents[1] / "build/venv/bin/python")]
    for python in filter(None, candidates):
        if not Path(python).exists():
            continue
        test = subprocess.run([python, "-c", "import onnxruntime, onnx, tensorboard, tensorboard_data_server, websocket, PIL"],
                              capture_output=True)
        if test.returncode == 0:
            return python
    return skip("no Python environment with TensorBoard and ONNX Runtime (scripts/setup.sh test makes build/venv)")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--python")
    parser.add_argument("--browser", action="store_true")
    parser.add_argument("module")
    parser.add_argument("rest", nargs=argparse.REMAINDER)
    args = parser.parse_args()
    python = find_python(args.python)
    if args.browser and not any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))):
        skip("no Chromium (scripts/setup.sh test installs it)")
    environment = dict(os.environ, PYTHONPATH=str(HERE), PYTHONDONTWRITEBYTECODE="1", TZ="UTC")
    os.execve(python, [python, str(HERE / args.module), *args.rest], environment)


if __name__ == "__main__":
    main()
