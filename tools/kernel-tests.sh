#!/usr/bin/env bash
# The forwarding plane in the kernel: single packets through the loaded programs (*.walk.spec.ts) and real
# sockets between network namespaces (*.netns.spec.ts). Needs root, no cluster.
set -uo pipefail
cd "$(dirname "$0")/.."
mkdir -p build/reports
printf '==> kernel tests\n'
node_modules/.bin/jest --json --outputFile=build/reports/kernel.json --silent --maxWorkers=2 \
  --testPathPatterns '\.(walk|netns)\.spec\.ts$'
status=$?
node tools/report.mjs build/reports/kernel.json
exit $status
