#!/usr/bin/env bash
# Make .venv-peers: the other tools of the benchmark, with locked versions, apart from Percorso's environment.
set -euo pipefail
cd "$(dirname "$0")/.."

stamp=.venv-peers/.locked
content="$(cksum <requirements/peers.txt)"
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$content" ]; then exit 0; fi
echo "Installing requirements/peers.txt into .venv-peers ..." >&2
.venv/bin/python -m venv --clear .venv-peers
.venv-peers/bin/python -m pip install --quiet --disable-pip-version-check --no-input --require-hashes \
  --only-binary :all: -r requirements/peers.txt
printf '%s' "$content" >"$stamp"
