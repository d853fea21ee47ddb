#!/usr/bin/env bash
# npm test: sets everything up and passes all tests: checks, then the end-to-end tests on a cluster of
# their own, which is removed afterwards. The last line is "N passed, N failed".
set -uo pipefail
cd "$(dirname "$0")/.."
began=$SECONDS
name=contrail-test
rm -rf build/reports
mkdir -p build/reports

sandbox() { tools/sandbox/sandbox --name "$name" "$@"; }
finish() {
  [ "${KEEP_SANDBOX:-}" = 1 ] || sandbox down >&2 || true
}

bash tools/setup.sh || exit 1
bash tools/check.sh
check=$?
bash tools/suite.sh long
long=$?
bash tools/suite.sh kernel
kernel=$?

# The binary of the upstream specs takes minutes to build; it does so beside the first tests.
(nice -n 10 tools/sandbox/sandbox build e2e > build/reports/build-e2e.log 2>&1) &
trap finish EXIT
if sandbox up --network ours; then
  printf '==> end-to-end tests\n'
  SANDBOX=$name node_modules/.bin/jest -c tools/e2e/jest.e2e.config.js --json --outputFile=build/reports/e2e.json --runInBand --forceExit
  wait
  printf '==> upstream specs\n'
  bash tools/e2e/upstream.sh "$name"
else
  printf 'the sandbox did not start; its state follows\n'
  sandbox status
fi
finish
trap - EXIT

printf '\n==> results after %ss\n' $((SECONDS - began))
node tools/report.mjs build/reports/static.json build/reports/unit.json build/reports/long.json build/reports/kernel.json build/reports/e2e.json build/reports/upstream.xml
total=$?
[ "$check" = 0 ] && [ "$long" = 0 ] && [ "$kernel" = 0 ] && [ "$total" = 0 ]
