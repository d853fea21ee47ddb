#!/bin/bash
# Compiles the forwarding plane: build.sh OUTDIR [CLANG OPTION...] makes OUTDIR/vrouter.bpf.o.
# -DTEST_LAYOUT_GROWN makes the value of flows 8 bytes longer, for tests of a changed layout.
set -euo pipefail
out=${1:?usage: build.sh OUTDIR [CLANG OPTION...]}
shift
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$out"
object=$out/vrouter.bpf.o
# asm/types.h is in the architecture's own folder on Debian.
multiarch=/usr/include/$(uname -m)-linux-gnu
clang -O2 -g -Wall -Wextra -Werror -Wno-unused-function -Wno-unused-parameter \
  -target bpf -mcpu=v3 "$@" -I"$multiarch" -c "$here/vrouter.bpf.c" -o "$object.$$"
# The debugging sections are for people; BTF stays.
llvm-strip -g "$object.$$"
mv "$object.$$" "$object"
