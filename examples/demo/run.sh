#!/usr/bin/env bash
# The demo: write the sample shop's files, import them into a fresh workspace, build, ask three questions.
#
#     examples/demo/run.sh [FOLDER]        default: demo-data, or a temporary folder where that cannot be written
#
# It can be run again: the workspace is made anew each time. It opens nothing and waits for nothing.
set -euo pipefail
cd "$(dirname "$0")/../.."

folder="${1:-demo-data}"
if ! { mkdir -p "$folder" && [ -w "$folder" ]; } 2>/dev/null; then
  folder="$(mktemp -d "${TMPDIR:-/tmp}/percorso-demo.XXXXXX")"
fi
workspace="$folder/workspace"
files="$folder/files"

step() { printf '\n== %s\n' "$1"; }
percorso() {
  local word
  printf '$ percorso -w %s' "$workspace"
  for word in "$@"; do
    case "$word" in
      *' '*) printf ' "%s"' "$word" ;;
      *) printf ' %s' "$word" ;;
    esac
  done
  printf '\n'
  .venv/bin/percorso -w "$workspace" "$@"
}

step "Legnocorda, an invented shop: what its tools export"
rm -rf "$workspace"
.venv/bin/python -m percorso.demo.sample "$files"

step "A workspace"
.venv/bin/percorso -w "$workspace" init --currency EUR --timezone Europe/Rome --language en >/dev/null
echo "$workspace"

step "Import: web events, orders, tills, newsletters"
# Site and shop system write the same order numbers, so they are one source: an order that both tell of is one.
percorso import "$files/web-events.ndjson" --source shop
percorso import "$files/orders_export.csv" --source shop
percorso import "$files/scontrini.csv" --mapping examples/demo/till.toml
percorso import "$files/newsletter.csv" --mapping examples/demo/newsletter.toml
percorso rejected

step "Build persons, sessions, journeys, stages"
percorso build

step "Where do they leave on the way to an order?"
percorso funnel --step "Product Viewed" --step "Product Added" --step "Checkout Started" --step "Order Completed" --within 7d

step "What follows what?"
percorso flow --unit stage --collapse

step "Which paths are most common?"
percorso variants --unit channel --collapse --kind purchase --top 10

cat <<END

The workspace is in $workspace. Ask it something else, for example:

  .venv/bin/percorso -w $workspace variants --unit event --top 5 --outcome converted
  .venv/bin/percorso -w $workspace funnel --step "Product Viewed" --step "Order Completed" --within 7d --by channel
  .venv/bin/percorso -w $workspace sql "select place, count(*) from events group by place"
END
