#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Shows Spur at work on a fresh machine: installs what is missing, builds, and logs into ./my_logs
# whatever TensorBoard can show.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh build
echo "Building (build/release)..."
scripts/build.sh release
build/release/examples/log_everything

echo
if command -v tensorboard >/dev/null; then
  tensorboard=tensorboard
elif [ -x build/venv/bin/tensorboard ]; then
  tensorboard=build/venv/bin/tensorboard
else
  tensorboard=tensorboard
  echo "TensorBoard is a Python package. To install it:"
  echo "    python3 -m venv ~/tensorboard && . ~/tensorboard/bin/activate && pip install tensorboard"
fi
echo "To look at it in a browser:"
echo "    $tensorboard --logdir=./my_logs"
