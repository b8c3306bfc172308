#!/usr/bin/env bash
# Write requirements/*.txt again from requirements/*.in and pyproject.toml: every platform at once, with
# hashes, wheels only, and without the address of any registry. uv itself is installed from its own lock.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ ! -x build/lock/bin/uv ]; then
  .venv/bin/python -m venv --clear build/lock
  build/lock/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: \
    -r requirements/lock.txt
fi

lock() {
  build/lock/bin/uv --system-certs pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
    --no-emit-index-url --no-emit-find-links --no-header "$@"
}

compile() {
  lock --only-binary :all: "$@"
}

compile pyproject.toml requirements/run.in -o requirements/run.txt
for set in test bench peers lock; do
  compile "requirements/$set.in" -o "requirements/$set.txt"
done
lock requirements/spark.in -o requirements/spark.txt
