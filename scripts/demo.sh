#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Shows Spur at work on a fresh machine: installs what is missing, builds, and trains a U-Net that
# finds the roofs in generated aerial scenes (examples/buildings.ini), in under three minutes on two
# processors. The run goes to ./my_logs; arguments go to `spur train` (train.epochs=2).
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh build
echo "Building (build/release)..."
scripts/build.sh release
build/release/bin/spur train examples/buildings.ini "$@"

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
echo "To look at the run in a browser, type:"
echo "    $tensorboard --logdir=./my_logs"
echo "and open http://localhost:6006: Scalars, Images (worst samples!), Graphs, HParams, PR curves, ..."
