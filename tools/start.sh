#!/usr/bin/env bash
# npm start: sets everything up, runs a Kubernetes cluster on our network and shows that it works.
set -euo pipefail
cd "$(dirname "$0")/.."
began=$SECONDS
bash tools/setup.sh
tools/sandbox/sandbox --name contrail up --network ours "$@"
bash tools/show.sh contrail
printf '\nReady after %ss.\n' $((SECONDS - began))
