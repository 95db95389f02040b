#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# make-live-initramfs.sh BASE SERVER OUTPUT [FILE...]
#
# The root file system of a machine that looks at itself: BASE, the initramfs of the machine that
# dumps are made of, and over it the server with its libraries, strace, the programs in guest/, and
# programs and modules (.ko, .ko.xz) that are named; modules go to /modules/more.
# A kernel unpacks one archive after the other, so that BASE stays what dumps were made with.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
base=$1
server=$2
output=$3
shift 3
root=$output.root

copy_with_libraries() { # PROGRAM
    cp "$1" "$root/bin/"
    ldd "$1" | grep -o '/[^ ]*' | while read -r library; do
        mkdir -p "$root$(dirname "$library")"
        cp -L "$library" "$root$library"
    done
}

rm -rf "$root"
mkdir -p "$root/bin" "$root/etc" "$root/lib" "$root/tmp"
for name in portal look churn without; do
    "${CC:-gcc}" -std=gnu17 -O2 -Wall -Wextra -static -pthread -o "$root/bin/$name" \
        "$here/guest/$name.c"
done
"${CC:-gcc}" -std=gnu17 -O2 -Wall -Wextra -shared -fPIC -o "$root/lib/oldcore.so" "$here/guest/oldcore.c" -ldl
copy_with_libraries "$server"
strip "$root/bin/${server##*/}"
mkdir -p "$root/modules/more"
for file; do
    name=${file##*/}
    case $name in
    *.ko) cp "$file" "$root/modules/more/$name" ;;
    *.ko.xz) xz -dc "$file" >"$root/modules/more/${name%.xz}" ;;
    *) copy_with_libraries "$file" ;;
    esac
done
strace=$(command -v strace) && copy_with_libraries "$strace"
echo 'root:x:0:0::/:/bin/sh
nobody:x:65534:65534::/nonexistent:/bin/false' >"$root/etc/passwd"
cp "$here/guest/live-init" "$root/live-init"
chmod +x "$root/live-init"
(cd "$root" && find . | cpio --quiet -o -H newc | gzip -1) >"$output.new"
cat "$base" "$output.new" >"$output.whole"
rm -rf "$root" "$output.new"
mv "$output.whole" "$output"
