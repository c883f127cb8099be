#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Builds and tests everything, on a fresh machine too. The last lines say what passed.
#
# usage: scripts/test.sh [--full]
#   default   release with warnings as errors, all tests; the engine's unit tests once more on the portable path; ASan and
#             UBSan, all but conformance and installation; short fuzzing
#   --full    also: hundreds of kills and long fuzzing, clang, TSan, all unit tests on the portable path, and the
#             libraries on aarch64 under qemu (scripts/aarch64.sh)
#
# Tests that need data look in ../shared/data or $SPUR_TEST_DATA; a test that cannot run is listed with its reason.
set -euo pipefail
cd "$(dirname "$0")/.."
full=no
case ${1-} in
  "") ;;
  --full) full=yes ;;
  *) echo "usage: scripts/test.sh [--full]" >&2; exit 2 ;;
esac
export SPUR_TEST_FULL=$([ $full = yes ] && echo 1 || echo 0)
export SPUR_TEST_DATA=${SPUR_TEST_DATA:-$PWD/../shared/data}
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:allocator_may_return_null=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
export LSAN_OPTIONS=${LSAN_OPTIONS:-suppressions=$PWD/tests/lsan.supp:print_suppressions=0}
# libomp is no instrumented code: its own locks look like races. libarcher, which it loads by itself (libomp-dev has it), tells
# TSan what its barriers order.
export TSAN_OPTIONS=${TSAN_OPTIONS:-ignore_noninstrumented_modules=1}
begin=$SECONDS
parallel=$(($(nproc) + 1)) # many tests wait: for a browser, a server, a program to be killed

if [ $full = yes ]; then scripts/setup.sh full; else scripts/setup.sh build test; fi

presets=(release asan fuzz)
fuzz=()
if [ $full = yes ]; then
  presets+=(clang tsan)
  fuzz=(-DSPUR_FUZZ_RUNS=-1 -DSPUR_FUZZ_SECONDS=300)
fi
for preset in "${presets[@]}"; do
  echo "Building build/$preset..."
  scripts/build.sh "$preset" -DSPUR_WERROR=ON -DSPUR_PYTHON="$PWD/build/venv/bin/python" ${fuzz[@]+"${fuzz[@]}"}
done

failed=0
for preset in "${presets[@]}"; do
  echo
  echo "=== Tests of build/$preset"
  ctest --test-dir "build/$preset" --parallel "$parallel" --output-on-failure --no-tests=ignore \
    --output-junit results.xml 2>&1 | tee "build/$preset/ctest.log" || failed=1
done
# The portable path: no vector instructions of one CPU kind. Its folder holds nothing but the results.
portable='unit_(kernels|graph|nn|ops|models|data)_'
[ $full = no ] || portable='unit_'
echo
echo "=== Tests of build/release with SPUR_CPU=generic"
mkdir -p build/portable
SPUR_CPU=generic ctest --test-dir build/release --label-regex unit --tests-regex "$portable" --parallel "$parallel" \
  --output-on-failure --no-tests=error --output-junit "$PWD/build/portable/results.xml" 2>&1 |
  tee build/portable/ctest.log || failed=1
results=("${presets[@]/#/build/}" build/portable)
if [ $full = yes ]; then
  echo
  echo "=== Tests of build/aarch64 under qemu"
  rm -f build/aarch64/results.xml build/aarch64/Testing/results.xml # of an earlier time, should the build fail
  scripts/aarch64.sh -DSPUR_WERROR=ON || failed=1
  results+=(build/aarch64)
fi
echo
echo "=== Took $((SECONDS - begin)) s"
python3 scripts/test_summary.py "${results[@]}" || failed=1
exit $failed
