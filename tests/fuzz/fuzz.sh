#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# fuzz.sh SOURCE_FOLDER TARGET [SECONDS [libFuzzer's options]]: builds tests/fuzz/fuzz_TARGET.c, with
# all that it is about, by clang with its sanitizers, in fuzz-build/ of the current folder, and lets
# it run. Inputs that reached something new are kept in fuzz-build/corpus/TARGET, inputs that failed
# in fuzz-build/found/TARGET.
set -eu

source=$(cd "$1" && pwd)
target=${2-}
seconds=${3:-600}
[ $# -gt 3 ] && shift 3 || shift $#

say()
{
	echo "fuzz: $*" >&2
}

if [ ! -f "$source/tests/fuzz/fuzz_$target.c" ]; then
	say "name a target: make fuzz FUZZ=TARGET [FUZZ_SECONDS=600], where TARGET is one of"
	for file in "$source"/tests/fuzz/fuzz_*.c; do
		basename "$file" .c | sed 's/^fuzz_/	/'
	done >&2
	exit 1
fi
CLANG=${CLANG:-clang}
if ! command -v "$CLANG" >/dev/null; then
	say "nothing was fuzzed: '$CLANG' is not there (Debian: apt-get install clang); CLANG names another"
	exit 1
fi

sanitizers=address,undefined
mkdir -p fuzz-build
cd fuzz-build
if [ ! -f Makefile ]; then
	"$source/configure" CC="$CLANG" CFLAGS="-g -O1 -fno-omit-frame-pointer \
		-fsanitize=fuzzer-no-link,$sanitizers -fno-sanitize-recover=undefined" >/dev/null
fi
# Small kernels, of which gcc makes what clang does not
[ "$target" != machine ] || make --quiet fuzz-kernels CC=gcc
# The program that replays a corpus, with libFuzzer's main() instead of its own.
program=tests/fuzz/replay_$target
make --quiet "$program" CPPFLAGS=-DFUZZING LDFLAGS=-fsanitize=fuzzer
corpus=$source/tests/fuzz/corpus/$target
[ -d "$corpus" ] || corpus=$source/tests/fuzz/corpus/${target%%_*}
mkdir -p "corpus/$target" "found/$target"
exec "$program" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
	-artifact_prefix="found/$target/" "$@" "corpus/$target" "$corpus"
