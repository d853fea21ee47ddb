#!/usr/bin/env bash
# npm run soak: the long forms of the seeded tests, on a cluster of their own. Repeats until SOAK_SECONDS (default 1800) are over,
# at least once. SOAK_SPECS (default faults|verify|mesh|services|dns|cni) chooses the end-to-end specs.
#   FAULT_PER_SECOND 150  FAULT_AWAY_SECONDS 60  FAULT_ROLLOUT 1  FAULT_ROUNDS 1   tools/e2e/specs/faults-traffic.e2e.ts
#   CHURN_PODS 500  CHURN_ALIVE 60  CHURN_SEED, another in each round               tools/e2e/specs/faults-churn.e2e.ts
set -euo pipefail
cd "$(dirname "$0")/.."
bash tools/setup.sh
name=contrail-soak
trap 'tools/sandbox/sandbox --name "$name" down >&2 || true' EXIT
tools/sandbox/sandbox --name "$name" up --network ours
[ "${SOAK_UNIT:-1}" = 0 ] || SEED=random node_modules/.bin/jest --silent --maxWorkers=2
[ "${SOAK_UNIT:-1}" = 0 ] || SEED=random SOAK_RUNS=1000 node_modules/.bin/jest -c apps/config-api/jest.config.js --silent transactor.random
export FAULT_PER_SECOND=${FAULT_PER_SECOND:-150} FAULT_AWAY_SECONDS=${FAULT_AWAY_SECONDS:-60} FAULT_ROLLOUT=${FAULT_ROLLOUT:-1}
export CHURN_PODS=${CHURN_PODS:-500} CHURN_ALIVE=${CHURN_ALIVE:-60}
end=$((SECONDS + ${SOAK_SECONDS:-1800}))
round=0
failed=0
while [ "$round" = 0 ] || [ "$SECONDS" -lt "$end" ]; do
  round=$((round + 1))
  export CHURN_SEED=${CHURN_SEED:-$((20260900 + round))}
  printf '==> round %d, seed %s\n' "$round" "$CHURN_SEED"
  SANDBOX=$name node_modules/.bin/jest -c tools/e2e/jest.e2e.config.js --runInBand --forceExit --testPathPatterns "${SOAK_SPECS:-faults|verify|mesh|services|dns|cni}" ||
    failed=$((failed + 1))
  unset CHURN_SEED
done
printf '%d rounds, %d with failures\n' "$round" "$failed"
[ "$failed" = 0 ]
