#!/usr/bin/env bash
# npm run soak: the long forms of the seeded tests. SOAK_SECONDS says how long (default 1800).
set -euo pipefail
cd "$(dirname "$0")/.."
bash tools/setup.sh
name=contrail-soak
trap 'tools/sandbox/sandbox --name "$name" down >&2 || true' EXIT
tools/sandbox/sandbox --name "$name" up --network ours
SEED=random node_modules/.bin/jest --silent --maxWorkers=2
end=$((SECONDS + ${SOAK_SECONDS:-1800}))
round=0
while [ "$SECONDS" -lt "$end" ]; do
  round=$((round + 1))
  printf '==> round %d\n' "$round"
  SANDBOX=$name node_modules/.bin/jest -c tools/e2e/jest.e2e.config.js --runInBand --forceExit
done
