#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Builds the small kernels that the tests read: make-samples.sh SRCDIR OUTDIR
# CC, OBJCOPY and STRIP may be set. Optional ones are left out when a tool cannot make them.
set -eu
src=$1
out=$2
: "${CC:=gcc}" "${OBJCOPY:=objcopy}" "${STRIP:=strip}"
mkdir -p "$out"

# Nothing of the build's own flags: the addresses and the debug sections must be as written here.
flags="-std=gnu17 -O1 -g -ffreestanding -fno-pic -mcmodel=kernel -mno-red-zone
	-fno-stack-protector -fcf-protection=none -fno-asynchronous-unwind-tables -w -I$src"

# compile NAME FLAG... -> NAME.o
compile() {
	name=$1
	shift
	# shellcheck disable=SC2086 # the flags are words
	$CC $flags "$@" -c "$src/tests/names/sample.c" -o "$out/$name.o"
}

# link NAME OBJECT... -> NAME.elf
link() {
	name=$1
	shift
	$CC -nostdlib -static -no-pie -Wl,-T,"$src/tests/names/sample.lds" \
		-Wl,--no-warn-rwx-segments "$@" -o "$out/$name.elf" 2>/dev/null ||
		$CC -nostdlib -static -no-pie -Wl,-T,"$src/tests/names/sample.lds" \
			"$@" -o "$out/$name.elf"
}

for version in 2 3 4 5; do
	compile dwarf$version -gdwarf-$version -gstrict-dwarf
	link dwarf$version -Wl,--build-id=sha1 "$out/dwarf$version.o"
done

# Another kernel; without build-id: the same release, another one, and the same built differently.
compile other -gdwarf-5 '-DSAMPLE_RELEASE="1.2.3-other"'
compile moved -gdwarf-5 -DSAMPLE_MOVED
link other -Wl,--build-id=sha1 "$out/other.o"
link noid -Wl,--build-id=none "$out/dwarf5.o"
link noid-other -Wl,--build-id=none "$out/other.o"
link noid-moved -Wl,--build-id=none "$out/moved.o"

$STRIP -s "$out/dwarf5.elf" -o "$out/stripped.elf"
$STRIP -g "$out/dwarf5.elf" -o "$out/symbols-only.elf"
cp "$out/dwarf5.o" "$out/module.ko"
$OBJCOPY --compress-debug-sections=zlib "$out/dwarf5.elf" "$out/zlib.elf"
$OBJCOPY --compress-debug-sections=zstd "$out/dwarf5.elf" "$out/zstd.elf" 2>/dev/null ||
	rm -f "$out/zstd.elf"

# A unit in C in front of the sample's, with an enumeration of the name of one of its structures.
# shellcheck disable=SC2086
$CC $flags -gdwarf-5 -DDECOY_IN_C -c "$src/tests/names/sample_decoy.c" -o "$out/decoy.o"
link two-units -Wl,--build-id=sha1 "$out/decoy.o" "$out/dwarf5.o"

# A unit in Rust (DW_LANG_Rust is 0x1c) in front of the one in C.
# shellcheck disable=SC2086
$CC $flags -gdwarf-5 -dA -S "$src/tests/names/sample_decoy.c" -o "$out/decoy.s"
sed 's/\(\.byte[[:space:]]*\)0x[0-9a-f]*\(.*DW_AT_language\)/\10x1c\2/' "$out/decoy.s" >"$out/rust.s"
if cmp -s "$out/decoy.s" "$out/rust.s"; then
	rm -f "$out/rust.elf"
else
	$CC -c "$out/rust.s" -o "$out/rust.o"
	link rust -Wl,--build-id=sha1 "$out/rust.o" "$out/dwarf5.o"
fi

# Objects of a kernel's file, as compilers saw it: by a relative name, an absolute one, and from below.
mkdir -p "$out/init"
echo 'int start_kernel;' >"$out/init/main.c"
here=$(cd "$out" && pwd)
(cd "$out" && $CC -g "-fdebug-prefix-map=$here=built/here" -c init/main.c -o roots-folder.o)
(cd / && $CC -g "-fdebug-prefix-map=$here=/seen/there" -c "$here/init/main.c" -o "$here/roots-name.o")
(cd "$out/init" && $CC -g "-fdebug-prefix-map=$here=/built" -c ../init/main.c -o ../roots-below.o)
sed 's/start/stop/' "$out/init/main.c" >"$out/init/other.c"
(cd "$out" && $CC -g "-fdebug-prefix-map=$here=/else/where" -c init/other.c -o roots-other.o)
$CC -nostdlib -r "$out/roots-other.o" "$out/roots-folder.o" "$out/roots-name.o" \
	-Wl,-z,muldefs -o "$out/roots-three.o"
