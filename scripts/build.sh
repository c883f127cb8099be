#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Configures and builds one preset of CMakePresets.json in build/<preset>.
#
# usage: scripts/build.sh PRESET [cmake options, as -DSPUR_WERROR=ON]
set -euo pipefail
cd "$(dirname "$0")/.."
preset=${1:?usage: build.sh PRESET [cmake options]}
shift
# A build folder keeps the generator that it was made with; a new one gets Ninja.
generator=()
[ -e "build/$preset/CMakeCache.txt" ] || generator=(-G Ninja)
mkdir -p build
log=build/$preset.log
if ! cmake --preset "$preset" ${generator[@]+"${generator[@]}"} "$@" >"$log" 2>&1; then
  cat "$log"
  echo "build.sh: configuring '$preset' failed" >&2
  exit 1
fi
if ! cmake --build --preset "$preset" --parallel "$(nproc)" >>"$log" 2>&1; then
  grep -E -A12 'error:|Error |FAILED|undefined reference' "$log" | head -100
  echo "build.sh: building '$preset' failed ($log has everything)" >&2
  exit 1
fi
