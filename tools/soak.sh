#!/usr/bin/env bash
# npm run soak: the long forms of the tests, in parts with a budget of time each, on a cluster of their own that is
# removed afterwards. The last line is "N passed, N failed".
#   SOAK_PARTS    which: "units random fuzz kernel churn traffic rollout around flood connections verify mesh tenants" (all)
#   SOAK_SECONDS  the parts with a cluster are repeated with other seeds until these are over (1800); each once at least
#   SOAK_SHORT=1  the sizes of npm test, to try the script itself
#   SOAK_RUNS     runs of each random sequence (100)
#   FUZZ_SECONDS  how long the REST API gets random input (600), while its memory must not grow
# Sizes of the end-to-end tests, each with its meaning in the spec that reads it:
#   FAULT_PER_SECOND 150  FAULT_AWAY_SECONDS 60  FAULT_STILL_SECONDS 60  FAULT_STORM_PODS 100  FAULT_FLOOD_SECONDS 60
#   CHURN_PODS 500  CHURN_ALIVE 60  CHURN_SEED, another in each round
#   TENANT_STEPS 50  TENANT_SEED, another in each round  SWITCH_PODS 100  SWITCHES 10  EQUAL_NETWORKS 20
# What a part says is in build/reports/soak. KEEP_SANDBOX=1 leaves the cluster (tools/sandbox/sandbox --name contrail-soak status).
set -uo pipefail
cd "$(dirname "$0")/.."
began=$SECONDS
name=contrail-soak
parts=${SOAK_PARTS:-units random fuzz kernel churn traffic rollout around flood connections verify mesh tenants}
reports=build/reports/soak
round=1
results=()
rm -rf "$reports"
mkdir -p "$reports"

say() { printf '==> %02d:%02d  %s\n' $(((SECONDS - began) / 60)) $(((SECONDS - began) % 60)) "$*"; }
sandbox() { tools/sandbox/sandbox --name "$name" "$@"; }
is_wanted() { [[ " $parts " == *" $1 "* ]]; }
finish() { [ "${KEEP_SANDBOX:-}" = 1 ] || sandbox down >&2 || true; }

# part NAME BUDGET JEST-ARGUMENTS…: runs specs for at most BUDGET seconds. A part that takes longer ends and counts as
# one failure; it may have left anything behind, so the next one gets a new cluster.
part() {
  local what=$1 budget=$2 from=$SECONDS report=$reports/$1-$round.json status=0
  shift 2
  is_wanted "$what" || return 0
  say "$what: at most $budget s"
  results+=("$report")
  timeout --kill-after=30 "$budget" node_modules/.bin/jest --json --outputFile="$report" "$@" > "$reports/$what-$round.log" 2>&1 || status=$?
  if [ "$status" -ge 124 ]; then
    rm -f "$report"
    say "$what: not done after $budget s"
    stale=1
  elif [ ! -e "$report" ]; then
    say "$what: jest failed"
  else
    say "$what: $(node tools/report.mjs "$report" | tail -n 1), $((SECONDS - from)) s"
  fi
  [ "$status" = 0 ] || tail -n 40 "$reports/$what-$round.log"
}

# e2e NAME BUDGET SPECS: specs by a pattern, on the cluster.
e2e() {
  is_wanted "$1" || return 0
  if [ "$stale" = 1 ]; then
    say 'a new cluster'
    sandbox down && sandbox up --network ours && stale=0
  fi
  SANDBOX=$name part "$1" "$2" -c tools/e2e/jest.e2e.config.js --runInBand --forceExit --verbose --testPathPatterns "$3"
}

if [ "${SOAK_SHORT:-}" != 1 ]; then
  export FAULT_PER_SECOND=${FAULT_PER_SECOND:-150} FAULT_AWAY_SECONDS=${FAULT_AWAY_SECONDS:-60} FAULT_STILL_SECONDS=${FAULT_STILL_SECONDS:-60}
  export FAULT_STORM_PODS=${FAULT_STORM_PODS:-100} FAULT_FLOOD_SECONDS=${FAULT_FLOOD_SECONDS:-60}
  export TENANT_STEPS=${TENANT_STEPS:-50} SWITCH_PODS=${SWITCH_PODS:-100} SWITCHES=${SWITCHES:-10} EQUAL_NETWORKS=${EQUAL_NETWORKS:-20}
  export FUZZ_SECONDS=${FUZZ_SECONDS:-600} CHURN_PODS=${CHURN_PODS:-500} CHURN_ALIVE=${CHURN_ALIVE:-60}
fi

bash tools/setup.sh || exit 1
stale=0
SEED=random part units 1200 --silent --maxWorkers=2 --testPathIgnorePatterns '/node_modules/' '/dist/' '\.(walk|netns)\.spec\.ts$'
SEED=random SOAK_RUNS=${SOAK_RUNS:-100} part random 1800 --silent --maxWorkers=1 --testPathPatterns '\.random\.spec\.ts$'
part fuzz 1800 --silent --maxWorkers=1 --testPathPatterns 'fuzz\.spec\.ts$'
part kernel 1200 --silent --maxWorkers=2 --testPathPatterns '\.(walk|netns)\.spec\.ts$'

stale=1
trap finish EXIT
first_seed=${CHURN_SEED:-20260900}
first_walk=${TENANT_SEED:-20261100}
until_second=$((SECONDS + ${SOAK_SECONDS:-1800}))
while [ "$round" = 1 ] || [ "$SECONDS" -lt "$until_second" ]; do
  export CHURN_SEED=$((first_seed + round)) TENANT_SEED=$((first_walk + round))
  say "round $round, seeds $CHURN_SEED and $TENANT_SEED"
  e2e churn 1200 'faults-churn'
  e2e traffic 1200 'faults-traffic'
  e2e rollout 1200 'faults-rollout'
  e2e around 1500 'faults-around'
  e2e flood 600 'faults-flood'
  e2e connections 600 'faults-connections'
  e2e verify 600 'specs/verify'
  e2e mesh 1200 'mesh|services|dns|cni'
  e2e tenants 3600 'tenants|custom-networks|equal-networks|network-policies|reach'
  [[ "$parts" =~ churn|traffic|rollout|around|flood|connections|verify|mesh|tenants ]] || break
  round=$((round + 1))
done

finish
trap - EXIT
say 'results'
node tools/report.mjs "${results[@]}"
