#!/usr/bin/env bash
# Runs the tests that check.sh leaves out, because they take longer or need more of the machine. usage: suite.sh NAME
#   long     whole apps, with a real Redis where they use one (*.process.spec.ts), random walks and input
#            (*.random.spec.ts, *fuzz.spec.ts), and whole models (*.long.spec.ts)
#   kernel   the forwarding plane in the kernel: single packets through the loaded programs (*.walk.spec.ts)
#            and real sockets between network namespaces (*.netns.spec.ts). Needs root, no cluster.
set -uo pipefail
cd "$(dirname "$0")/.."
case ${1:-} in
  long) pattern='(\.(process|random|long)|fuzz)\.spec\.ts$' ;;
  kernel) pattern='\.(walk|netns)\.spec\.ts$' ;;
  *) sed -n '2,6s/^# //p' "$0" >&2; exit 2 ;;
esac
mkdir -p build/reports
printf '==> %s tests\n' "$1"
node_modules/.bin/jest --json --outputFile="build/reports/$1.json" --silent --maxWorkers=2 --testPathPatterns "$pattern"
status=$?
node tools/report.mjs "build/reports/$1.json"
exit $status
