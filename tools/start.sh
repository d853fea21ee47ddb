#!/usr/bin/env bash
# npm start: sets everything up, runs a Kubernetes cluster on our network and shows that it works. Where
# Jaeger must be compiled first, it follows when the cluster answers.
set -euo pipefail
cd "$(dirname "$0")/.."
began=$SECONDS
sandbox() { tools/sandbox/sandbox --name contrail "$@"; }

bash tools/setup.sh --check
# Compilers leave gaps on the processors, which Jaeger's fill; on a small machine they would need the memory.
jaeger=
if [ "$(awk '/^MemTotal/ { print $2 }' /proc/meminfo)" -ge 12000000 ]; then
  mkdir -p build/reports
  set -m
  nice -n 19 tools/sandbox/sandbox build jaeger > build/reports/build-jaeger.log 2>&1 &
  jaeger=$!
  set +m
  trap 'kill -- -"$jaeger" 2> /dev/null || true' EXIT
fi
tools/sandbox/sandbox build
sandbox up --network ours --jaeger-later "$@"
bash tools/show.sh contrail
printf '\nReady after %ss.\n' $((SECONDS - began))
if ! sandbox kubectl -n contrail get deployment jaeger > /dev/null 2>&1; then
  printf 'Jaeger follows: it is compiled once. The cluster can be used meanwhile.\n'
  [ -z "$jaeger" ] || wait "$jaeger" || tail -n 5 build/reports/build-jaeger.log >&2
  sandbox deploy
  printf 'Jaeger is there after %ss.\n' $((SECONDS - began))
fi
