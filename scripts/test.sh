#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Builds and tests everything, on a fresh machine too. The last lines say what passed.
#
# usage: scripts/test.sh [--full]
#   default   release with warnings as errors, all tests; ASan and UBSan, all but the browser; short fuzzing
#   --full    also: hundreds of kills and long fuzzing, clang, and TSan
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
begin=$SECONDS

scripts/setup.sh build test
[ $full = no ] || scripts/setup.sh full

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
  ctest --test-dir "build/$preset" --parallel "$(nproc)" --output-on-failure --no-tests=ignore \
    --output-junit results.xml 2>&1 | tee "build/$preset/ctest.log" || failed=1
done
echo
echo "=== Took $((SECONDS - begin)) s"
python3 scripts/test_summary.py "${presets[@]/#/build/}" || failed=1
exit $failed
