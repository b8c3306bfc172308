#!/usr/bin/env bash
# Make .venv with the locked versions and the command .venv/bin/percorso.
#
#     scripts/setup.sh [run|test|bench ...]        default: run
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
  pip_install --require-hashes --only-binary :all: -r "$lock"
  printf '%s' "$content" >"$stamp"
}

install_project() {
  local content
  content="$(checksum pyproject.toml)"
  if is .venv/.installed "$content" && [ -x .venv/bin/percorso ]; then return; fi
  pip_install --no-deps --no-build-isolation -e .
  printf '%s' "$content" >.venv/.installed
}

make_venv
install_locked run
install_project
for set in "$@"; do
  if [ "$set" != run ]; then install_locked "$set"; fi
done
