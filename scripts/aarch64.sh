#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Cross-builds the libraries for aarch64 in build/aarch64 and runs their tests in C under qemu: unit, gradient and golden ones.
# The last lines say what passed. On a fresh machine too: installs what is missing.
#
# usage: scripts/aarch64.sh [cmake options]
#
# arm64 libraries come from Debian's packages, unpacked into build/aarch64-sysroot: no arm64 package is installed on this
# machine. The trainer is not built, and what Python drives (conformance, command line, installation) does not run.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh build aarch64
sysroot=$PWD/build/aarch64-sysroot
packages=(libc6-dev "libgcc-$(aarch64-linux-gnu-gcc -dumpversion)-dev" libgomp1 libopenblas-pthread-dev libcmocka-dev
  zlib1g-dev libpng-dev libjpeg-dev libprotobuf-c-dev libcjson-dev)

# apt with lists, cache and state of its own, for which no package is installed yet.
make_sysroot() {
  local apt=$PWD/build/aarch64-apt
  rm -rf "$apt" "$sysroot"
  mkdir -p "$apt"/{lists/partial,cache/archives/partial,dpkg} "$sysroot"
  : >"$apt/dpkg/status"
  local options=(-qq -o "Dir::State=$apt" -o "Dir::State::lists=$apt/lists" -o "Dir::State::status=$apt/dpkg/status"
    -o "Dir::Cache=$apt/cache" -o APT::Architecture=arm64 -o APT::Architectures::=arm64
    -o APT::Sandbox::User="$(id -un)" -o Debug::NoLocking=1)
  apt-get "${options[@]}" update
  apt-get "${options[@]}" install --download-only --yes --no-install-recommends "${packages[@]}"
  local file
  for file in "$apt"/cache/archives/*.deb; do
    dpkg-deb --extract "$file" "$sysroot"
  done
  # What the packages' scripts would have chosen.
  for file in libopenblas.so libopenblas.so.0 pkgconfig/openblas.pc; do
    ln -sfn "$sysroot/usr/lib/aarch64-linux-gnu/openblas-pthread/$file" "$sysroot/usr/lib/aarch64-linux-gnu/$file"
  done
  rm -rf "$apt"
  touch "$sysroot/complete"
}

if [ ! -e "$sysroot/complete" ]; then echo "Unpacking arm64 libraries (build/aarch64-sysroot)..."; fi
[ -e "$sysroot/complete" ] || make_sysroot >build/aarch64-sysroot.log 2>&1 || {
  tail -20 build/aarch64-sysroot.log >&2
  echo "aarch64.sh: could not unpack the arm64 packages (build/aarch64-sysroot.log)" >&2
  exit 1
}
# Not -O3: Debian 12's cross compiler (gcc 12.2) crashes while it vectorises a sum of test_graph.c.
echo "Building build/aarch64..."
generator=()
[ -e build/aarch64/CMakeCache.txt ] || generator=(-G Ninja)
cmake -S . -B build/aarch64 ${generator[@]+"${generator[@]}"} -DCMAKE_TOOLCHAIN_FILE=cmake/aarch64.cmake \
  -DCMAKE_BUILD_TYPE=Release "-DCMAKE_C_FLAGS_RELEASE=-O2 -fno-tree-vectorize -DNDEBUG" \
  -DSPUR_TRAINER=OFF -DSPUR_EXAMPLES=OFF -DSPUR_BENCH=OFF "$@" >build/aarch64.log 2>&1 &&
  cmake --build build/aarch64 --parallel "$(nproc)" >>build/aarch64.log 2>&1 || {
  grep -E -A12 'error|FAILED|undefined reference' build/aarch64.log | head -60
  echo "aarch64.sh: the build failed (build/aarch64.log has everything)" >&2
  exit 1
}
# Left out: unit_logger_process, as qemu ends a forked child that starts a thread (core.c: qemu_plugin_vcpu_init_hook), which is
# that test's subject; and what a Python of this machine runs, which has nothing to do with aarch64.
rm -f build/aarch64/results.xml build/aarch64/Testing/results.xml
status=0
ctest --test-dir build/aarch64 --tests-regex '^(unit|gradient)_|^golden_(losses|nets|optimizers)$' \
  --exclude-regex '^unit_logger_process$' --parallel "$(nproc)" --output-on-failure --no-tests=error \
  --output-junit results.xml || status=1
echo
echo "=== aarch64 under qemu ($(qemu-aarch64 --version | head -1)); left out: unit_logger_process"
python3 scripts/test_summary.py build/aarch64 || status=1
exit $status
