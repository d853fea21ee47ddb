#!/usr/bin/env bash
# Runs the tests that check.sh leaves out, because they take longer or need more of the machine. usage: suite.sh NAME
#   process  whole apps against a real Redis (*.process.spec.ts)
#   kernel   the forwarding plane in the kernel: single packets through the loaded programs (*.walk.spec.ts)
#            and real sockets between network namespaces (*.netns.spec.ts). Needs root, no cluster.
set -uo pipefail
cd "$(dirname "$0")/.."
case ${1:-} in
  process) pattern='\.process\.spec\.ts$' ;;
  kernel) pattern='\.(walk|netns)\.spec\.ts$' ;;
  *) sed -n '2,5s/^# //p' "$0" >&2; exit 2 ;;
esac
mkdir -p build/reports
printf '==> %s tests\n' "$1"
node_modules/.bin/jest --json --outputFile="build/reports/$1.json" --silent --maxWorkers=2 --testPathPatterns "$pattern"
status=$?
node tools/report.mjs "build/reports/$1.json"
exit $status
