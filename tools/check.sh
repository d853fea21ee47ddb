#!/usr/bin/env bash
# Types, lint, generated code and all unit tests; needs no cluster. Less than two minutes.
set -uo pipefail
cd "$(dirname "$0")/.."
mkdir -p build/reports
bin=node_modules/.bin
failed=0

run() {
  local name=$1 began=$SECONDS
  shift
  printf '==> %s\n' "$name"
  if "$@"; then
    printf '    %s: ok (%ss)\n' "$name" $((SECONDS - began))
  else
    printf '    %s: FAILED (%ss)\n' "$name" $((SECONDS - began))
    failed=$((failed + 1))
  fi
}

# The boundary rule of lint reads nx's project graph, which this fills.
"$bin/nx" show projects > /dev/null
run types node node_modules/ts7/bin/tsc -p tsconfig.json --noEmit
run 'generated code' bash tools/proto/generate.sh --check
run lint "$bin/eslint" --max-warnings 0 apps libs tools
run 'unit tests' "$bin/jest" --json --outputFile=build/reports/unit.json --silent --maxWorkers=2
node tools/report.mjs --static $((3 - (failed > 3 ? 3 : failed))) build/reports/unit.json > build/reports/check.txt 2>/dev/null || true
[ "$failed" = 0 ]
