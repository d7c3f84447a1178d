# SPDX-License-Identifier: Apache-2.0
# Sourced by ./quickstart and ./test: system packages, the Python environment with Halide and CMake, the build.
# shellcheck shell=bash

ks_packages=(g++ make ninja-build pkg-config binutils python3 python3-venv libgtest-dev libgmock-dev
  nlohmann-json3-dev libcli11-dev libfmt-dev libsqlite3-dev libpcre2-dev libutf8proc-dev zlib1g-dev)

ks_fail() {
  echo "error: $1" >&2
  exit 1
}

# ks_install_packages [PACKAGE...]: installs what is missing of ks_packages and of these when that is possible without
# asking; otherwise says exactly what to install.
ks_install_packages() {
  command -v dpkg-query >/dev/null || ks_fail "this set-up knows Debian and Ubuntu only; see README.md for the parts"
  local missing=() p
  for p in "${ks_packages[@]}" "$@"; do
    dpkg-query -W -f='${db:Status-Status}\n' "$p" 2>/dev/null | grep -q '^installed$' || missing+=("$p")
  done
  [ ${#missing[@]} -eq 0 ] && return 0
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    sudo -n true 2>/dev/null || ks_fail "these packages are missing; run: sudo apt-get install ${missing[*]}"
    as_root=(sudo -n)
  fi
  echo "installing ${missing[*]}"
  local log
  log=$(mktemp)
  { "${as_root[@]}" apt-get install -y "${missing[@]}" || { "${as_root[@]}" apt-get update &&
    "${as_root[@]}" apt-get install -y "${missing[@]}"; }; } >"$log" 2>&1 || {
    tail -n 5 "$log" >&2
    ks_fail "apt-get could not install: ${missing[*]}"
  }
  rm -f "$log"
}

# halide 21.0.0 and CMake in a virtual environment of the checkout.
ks_python_environment() {
  local wanted="halide==21.0.0 cmake>=3.28,<5"
  if [ "$(cat .venv/ks-installed 2>/dev/null)" != "$wanted" ]; then
    echo "creating .venv with Halide and CMake"
    rm -rf .venv
    python3 -m venv .venv || ks_fail "python3 -m venv failed"
    # shellcheck disable=SC2086
    .venv/bin/pip install --quiet --disable-pip-version-check $wanted || ks_fail "pip could not install: $wanted"
    echo "$wanted" >.venv/ks-installed
  fi
  export VIRTUAL_ENV="$PWD/.venv" PATH="$PWD/.venv/bin:$PATH"
}

# ks_build PRESET [TARGET...]: configures when needed and builds.
ks_build() {
  local preset=$1 folder=build
  shift
  case $preset in dev) folder=build/dev ;; asan-ubsan) folder=build/asan ;; esac
  cmake --preset "$preset" --log-level=WARNING >/dev/null || ks_fail "cmake could not configure $preset"
  cmake --build "$folder" ${1:+--target "$@"} || ks_fail "the build of $preset failed"
}
