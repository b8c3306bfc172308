#!/usr/bin/env bash
# Make .venv with the locked versions and the command .venv/bin/percorso.
#
#     scripts/setup.sh [run|test|bench|spark|browser|java ...]        default: run
#
# `browser` and `java` are no sets of packages but Chromium, with which the tests open pages, and a Java runtime, which
# Spark needs: from Debian's own archive, where this is a Debian or Ubuntu and we may; elsewhere it says what is
# missing, and the tests that need it are skipped.
#
# Does nothing where .venv already is what the lock files say: it compares contents, not file times, so
# that a copied or read-only installation is left alone. Needs python3 (3.11 or newer) with venv, nothing else.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*" >&2; }
checksum() { cat "$@" | cksum; }
is() { [ -f "$1" ] && [ "$(cat "$1")" = "$2" ]; }

find_python() {
  local candidate
  for candidate in "${PYTHON:-}" python3 python3.13 python3.12 python3.11 /usr/bin/python3; do
    # A launcher on PATH may stand for no interpreter at all, so each one is tried.
    if [ -n "$candidate" ] && "$candidate" -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      printf '%s\n' "$candidate"
      return
    fi
  done
  say "Percorso needs Python 3.11 or newer with the venv module, and found none."
  say "Install it (Debian, Ubuntu: python3 and python3-venv), or name it: make PYTHON=/path/to/python3 setup"
  return 1
}

make_venv() {
  # The folder's path is part of the answer: scripts inside a virtual environment do not survive a move.
  local made_for="$PWD"
  if [ -x .venv/bin/python ] && is .venv/.made-for "$made_for"; then return; fi
  local python
  python="$(find_python)"
  say "Making .venv with $("$python" --version) ..."
  "$python" -m venv --clear .venv || {
    say "Making .venv failed. On Debian and Ubuntu the module comes with the package python3-venv."
    return 1
  }
  printf '%s' "$made_for" >.venv/.made-for
}

pip_install() {
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input "$@"
}

install_locked() {
  local lock="requirements/$1.txt" stamp=".venv/.locked-$1" content
  content="$(checksum "$lock")"
  if is "$stamp" "$content"; then return; fi
  say "Installing $lock ..."
  local kind=(--only-binary :all:)
  # Spark has no wheel; what its archive holds needs no compiler.
  if [ "$1" = spark ]; then kind=(--prefer-binary --use-pep517); fi
  pip_install --require-hashes "${kind[@]}" -r "$lock"
  printf '%s' "$content" >"$stamp"
}

install_project() {
  local content
  content="$(checksum pyproject.toml)"
  if is .venv/.installed "$content" && [ -x .venv/bin/percorso ]; then return; fi
  pip_install --no-deps --no-build-isolation -e .
  printf '%s' "$content" >.venv/.installed
}

has_browser() {
  local name
  for name in chromium chromium-browser google-chrome chrome; do
    if command -v "$name" >/dev/null; then return; fi
  done
  return 1
}

# A package of Debian's, where we may install it.
debian_install() {
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
  say "Installing $1 for tests ..."
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$1" >/dev/null 2>&1 ||
    { apt-get update -qq >/dev/null 2>&1 &&
      DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$1" >/dev/null 2>&1; }
}

# Neither is a reason to stop: the other tests say as much as before.
install_browser() {
  if has_browser || debian_install chromium; then return; fi
  say "There is no Chromium, so tests that open a page are skipped (with CI=true they fail)."
  say "Install it (Debian: apt-get install chromium), or put a chromium or google-chrome on the PATH."
}

install_java() {
  if [ -x "${JAVA_HOME:-}/bin/java" ] || command -v java >/dev/null || debian_install openjdk-17-jre-headless; then
    return
  fi
  say "There is no Java, so tests on Spark are skipped (with CI=true they fail)."
  say "Install it (Debian: apt-get install openjdk-17-jre-headless), or set JAVA_HOME."
}

make_venv
install_locked run
install_project
for set in "$@"; do
  case "$set" in
    run) ;;
    browser) install_browser ;;
    java) install_java ;;
    *) install_locked "$set" ;;
  esac
done
