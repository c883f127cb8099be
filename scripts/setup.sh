#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Installs what Spur needs from Debian's packages: only what is missing, so a second run does nothing.
#
# usage: scripts/setup.sh [--print] [build] [test] [aarch64] [full]
#   build   to compile everything (the default)
#   test    to run scripts/test.sh; also makes the Python environment build/venv (tests/requirements.txt)
#   aarch64 to run scripts/aarch64.sh
#   full    to run scripts/test.sh --full: all of these
#   --print only says what is missing; the exit status is 1 if anything is
set -euo pipefail
cd "$(dirname "$0")/.."

packages_build=(
  gcc g++ cmake ninja-build pkg-config git python3 libcmocka-dev
  protobuf-c-compiler libprotobuf-c-dev zlib1g-dev libpng-dev   # the logger
  libopenblas-dev libjpeg-dev libcjson-dev                      # the engine
  libinih-dev libcairo2-dev                                     # the trainer
)
packages_test=(
  python3-venv ca-certificates
  chromium fonts-dejavu-core                                    # the browser tests
  clang libclang-rt-14-dev libomp-dev                           # the fuzz targets
)
packages_aarch64=(
  qemu-user gcc-aarch64-linux-gnu libc6-dev-arm64-cross
)

print_only=no
groups=()
for arg in "$@"; do
  case $arg in
    --print) print_only=yes ;;
    build | test | aarch64) groups+=("$arg") ;;
    full) groups+=(build test aarch64) ;;
    *) echo "setup.sh: unknown argument '$arg' (known: build, test, aarch64, full, --print)" >&2; exit 2 ;;
  esac
done
[ ${#groups[@]} -gt 0 ] || groups=(build)

installed() { [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# The compiler's runtime library carries clang's version in its name.
known_name() {
  if [ "$1" = libclang-rt-14-dev ] && ! apt-cache show "$1" >/dev/null 2>&1; then
    echo libclang-rt-dev
  else
    echo "$1"
  fi
}

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    echo "setup.sh: this needs root, and there is no sudo. As root: $*" >&2
    exit 1
  fi
}

install_packages() {
  local missing=() package
  for package in "$@"; do
    installed "$package" || installed "$(known_name "$package")" || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  echo "setup.sh: missing packages: ${missing[*]}"
  if [ $print_only = yes ]; then
    return 1
  fi
  as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq
  local i
  for i in "${!missing[@]}"; do
    missing[$i]=$(known_name "${missing[$i]}")
  done
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    "${missing[@]}" >build/setup.log 2>&1 || {
    tail -20 build/setup.log >&2
    echo "setup.sh: apt-get could not install them (build/setup.log)" >&2
    return 1
  }
  echo "setup.sh: installed them"
}

# A Python that can make an environment: the one on PATH, or else Debian's.
find_python() {
  local python
  for python in python3 /usr/bin/python3; do
    if "$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' \
      >/dev/null 2>&1; then
      echo "$python"
      return
    fi
  done
  echo "setup.sh: no Python from 3.11 on with the modules venv and ensurepip" >&2
  return 1
}

make_venv() {
  if cmp -s tests/requirements.txt build/venv/installed.txt; then
    return 0
  fi
  echo "setup.sh: the Python environment build/venv is missing or not that of tests/requirements.txt"
  if [ $print_only = yes ]; then
    return 1
  fi
  local python
  python=$(find_python)
  rm -rf build/venv
  "$python" -m venv build/venv
  build/venv/bin/python -m pip install --quiet --disable-pip-version-check -r tests/requirements.txt
  cp tests/requirements.txt build/venv/installed.txt
  echo "setup.sh: made build/venv with $(build/venv/bin/python --version)"
}

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  echo "setup.sh: this system has no apt; please install what Debian calls:" >&2
  echo "  ${packages_build[*]} ${packages_test[*]}" >&2
else
  wanted=()
  for group in "${groups[@]}"; do
    declare -n list="packages_$group"
    wanted+=("${list[@]}")
  done
  mkdir -p build
  install_packages "${wanted[@]}"
fi
case " ${groups[*]} " in
  *" test "*) make_venv ;;
esac
echo "setup.sh: everything for '${groups[*]}' is there"
