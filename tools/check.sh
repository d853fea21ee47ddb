#!/usr/bin/env bash
# Types, lint, generated code and unit tests; needs no cluster and no privileges. The longer tests are in suite.sh.
set -uo pipefail
cd "$(dirname "$0")/.."
mkdir -p build/reports
bin=node_modules/.bin
failed=0
declare -A status_of

run() {
  local name=$1 began=$SECONDS status=passed
  shift
  printf '==> %s\n' "$name"
  "$@" || status=failed
  [ "$status" = passed ] || failed=$((failed + 1))
  printf '    %s: %s (%ss)\n' "$name" "$status" $((SECONDS - began))
  status_of[$name]=$status
}

# Checks without a test runner are counted as one test each.
write_static() {
  local name passed=0 results=() IFS=,
  for name; do
    [ "${status_of[$name]}" != passed ] || passed=$((passed + 1))
    results+=("{\"fullName\":\"$name\",\"status\":\"${status_of[$name]}\"}")
  done
  printf '{"numPassedTests":%d,"numFailedTests":%d,"numPendingTests":0,"testResults":[{"status":"done","assertionResults":[%s]}]}\n' \
    "$passed" $(($# - passed)) "${results[*]}" > build/reports/static.json
}

# The boundary rule of lint reads nx's project graph, which this fills.
"$bin/nx" show projects > /dev/null
# Unit tests leave gaps on the processors, which lint fills.
"$bin/eslint" --max-warnings 0 apps libs tools > build/reports/lint.log 2>&1 &
lint=$!
finish_lint() {
  wait "$lint"
  local status=$?
  cat build/reports/lint.log
  return "$status"
}
run types node node_modules/ts7/bin/tsc -p tsconfig.json --noEmit
run 'generated code' bash tools/proto/generate.sh --check
run 'unit tests' "$bin/jest" --json --outputFile=build/reports/unit.json --silent --maxWorkers=2 \
  --testPathPatterns '^((?!(\.(process|random|long|walk|netns)|fuzz)\.spec\.ts$).)*$'
run lint finish_lint
write_static types 'generated code' lint
node tools/report.mjs build/reports/static.json build/reports/unit.json
[ "$failed" = 0 ]
