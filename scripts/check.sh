#!/usr/bin/env bash
# Run checks, each in the locked environment:
#
#     scripts/check.sh lint          ruff, mypy, import-linter
#     scripts/check.sh tests [...]   pytest, with any arguments for it
#     scripts/check.sh format        rewrite the sources in the house format
#
# Every cache goes to .cache/, or to a folder that is removed at the end where the tree is read-only.
set -euo pipefail
cd "$(dirname "$0")/.."

leftovers=()
trap '[ ${#leftovers[@]} -eq 0 ] || rm -rf "${leftovers[@]}"' EXIT

if mkdir -p .cache 2>/dev/null && [ -w .cache ]; then
  cache="$PWD/.cache"
else
  cache="$(mktemp -d "${TMPDIR:-/tmp}/percorso-cache.XXXXXX")"
  leftovers+=("$cache")
  export PYTHONDONTWRITEBYTECODE=1
fi
# Compiled loops are kept beside the other caches unless the caller says where.
export PERCORSO_CACHE="${PERCORSO_CACHE:-$cache/percorso}"
export HYPOTHESIS_STORAGE_DIRECTORY="$cache/hypothesis"

python=.venv/bin/python

lint() {
  $python -m ruff check --quiet --cache-dir "$cache/ruff" .
  $python -m ruff format --quiet --check --cache-dir "$cache/ruff" .
  $python -m mypy --no-error-summary --cache-dir "$cache/mypy"
  .venv/bin/lint-imports --cache-dir "$cache/import-linter" >"$cache/lint-imports.txt" 2>&1 || {
    cat "$cache/lint-imports.txt" >&2
    return 1
  }
  echo "lint: ruff, mypy and import-linter found nothing"
}

# Temporary files of thousands of small workspaces go to memory where there is room for all (they take 700 MB), so that
# nothing waits for the disk; they are gone at the end. Runs with arguments leave theirs in the usual place.
in_memory() {
  local free
  [ -z "${TMPDIR:-}" ] && [ -w /dev/shm ] || return 0
  free="$(df -Pk /dev/shm | awk 'NR == 2 { print $4 }')"
  if [ "$free" -ge 4000000 ]; then
    TMPDIR="$(mktemp -d /dev/shm/percorso-tests.XXXXXX)"
    export TMPDIR
    leftovers+=("$TMPDIR")
  fi
}

tests() {
  # A worker for each core; with arguments of your own one process, so that output and --pdb are as usual.
  if [ $# -eq 0 ]; then
    $python scripts/compile_kernels.py
    in_memory
    set -- --numprocesses auto --dist worksteal
  fi
  $python -m pytest -o cache_dir="$cache/pytest" "$@"
}

format() {
  $python -m ruff check --quiet --fix --cache-dir "$cache/ruff" .
  $python -m ruff format --quiet --cache-dir "$cache/ruff" .
}

case "${1:-}" in
  lint | tests | format) "$@" ;;
  *)
    echo "usage: scripts/check.sh lint|tests|format" >&2
    exit 2
    ;;
esac
