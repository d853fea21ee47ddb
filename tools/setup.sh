#!/usr/bin/env bash
# Installs what the project needs on a fresh Debian 12 machine: Debian packages, npm packages, and the
# Kubernetes binaries (built once into the cache). Can be run again at any time; does only what is missing.
#   setup.sh          everything that a running cluster needs
#   setup.sh --check  what the unit tests need
set -euo pipefail
cd "$(dirname "$0")/.."

step() { printf '==> %s\n' "$*" >&2; }

fail() {
  printf 'setup: %s\n' "$*" >&2
  exit 1
}

[ "$(id -u)" = 0 ] || fail "must run as root: the cluster's nodes are network namespaces; try: sudo npm start"
command -v node >/dev/null || fail "node is not installed; install Node.js 20 or later"
command -v go >/dev/null || fail "go is not installed; install Go 1.26 or later"

wanted=$(cat tools/apt-packages.txt tools/*/apt-packages.txt | sort -u)
missing=$(for name in $wanted; do
  dpkg-query -W -f='${Status}' "$name" 2>/dev/null | grep -q 'ok installed' || echo "$name"
done)
if [ -n "$missing" ]; then
  step "installing Debian packages:" $missing
  export DEBIAN_FRONTEND=noninteractive
  # Packages must not start services of their own: the cluster brings its own Redis.
  had_policy=1
  if [ ! -e /usr/sbin/policy-rc.d ]; then
    had_policy=0
    printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d
    chmod +x /usr/sbin/policy-rc.d
  fi
  restore() { [ "$had_policy" = 1 ] || rm -f /usr/sbin/policy-rc.d; }
  trap restore EXIT
  apt-get update -qq >&2
  apt-get install -y -qq --no-install-recommends $missing >&2
  restore
  trap - EXIT
fi

lock_hash=$(sha256sum package-lock.json | cut -c1-16)
if [ "$(cat node_modules/.contrail-lock 2>/dev/null)" != "$lock_hash" ]; then
  step "installing npm packages"
  npm ci --no-progress >&2
  echo "$lock_hash" > node_modules/.contrail-lock
fi

[ "${1:-}" = --check ] || tools/sandbox/sandbox build
