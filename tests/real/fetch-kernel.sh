#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# fetch-kernel.sh CACHE_DIR OUTPUT_DIR [SUITE]
#
# Downloads Debian's current cloud kernel and its debug package into CACHE_DIR (nothing that is
# there already), and extracts what the tests need into OUTPUT_DIR, laid out as the packages lay
# it out; OUTPUT_DIR/release holds the kernel's release. With SUITE (bookworm-backports) the
# packages come from there, through an apt configuration of its own: the system's stays untouched.
set -eu

cache=$1
output=$2
suite=${3:-}

keyring=/usr/share/keyrings/debian-archive-keyring.gpg

die() {
    echo "fetch-kernel.sh: $*" >&2
    exit 1
}

use_private_apt() { # SUITE
    apt_dir=$cache/apt-$1
    mkdir -p "$apt_dir/sources" "$apt_dir/lists/partial" "$apt_dir/archives/partial"
    echo "deb [signed-by=$keyring] http://deb.debian.org/debian $1 main" >"$apt_dir/sources/suite.list"
    cat >"$apt_dir/apt.conf" <<-CONF
	Dir::Etc::SourceList "/dev/null";
	Dir::Etc::SourceParts "$apt_dir/sources";
	Dir::State::Lists "$apt_dir/lists";
	Dir::State::Status "/dev/null";
	Dir::Cache "$apt_dir";
	Dir::Cache::Archives "$apt_dir/archives";
	APT::Sandbox::User "";
	CONF
    export APT_CONFIG="$apt_dir/apt.conf"
    apt-get -q update >&2 || die "cannot read the package lists of $1"
}

# The meta package's one dependency is the kernel of the day.
current_package() { # SUFFIX
    name=$(apt-cache depends "linux-image-cloud-amd64$1" |
        sed -n "s/.*Depends: \(linux-image-[0-9].*-cloud-amd64$1\)\$/\1/p" | head -n 1)
    [ -n "$name" ] || die "apt knows no linux-image-cloud-amd64$1: run apt-get update"
    echo "$name"
}

download() { # PACKAGE: prints the file's path
    version=$(apt-cache show --no-all-versions "$1" | sed -n 's/^Version: //p' | head -n 1)
    # apt writes an epoch's colon as %3a; kernel packages have none.
    file=$cache/${1}_${version}_amd64.deb
    if [ ! -s "$file" ]; then
        echo "downloading $1 $version" >&2
        (cd "$cache" && timeout 900 apt-get -q -o APT::Sandbox::User= download "$1=$version") >&2 ||
            die "cannot download $1 $version"
        [ -s "$file" ] || die "apt-get download left no $file"
    fi
    echo "$file"
}

extract() { # DEB PATTERN...
    deb=$1
    shift
    dpkg --fsys-tarfile "$deb" | tar -x -C "$output.new" --wildcards "$@"
}

# What the package has of these. Which of the image's packages has which has changed, so tar may miss
# some; whatever else it or dpkg says went wrong.
extract_some() { # DEB PATTERN...
    said=$(LC_ALL=C extract "$@" 2>&1 | grep -vE "$not_there") || return 0
    die "cannot extract $1: $said"
}
not_there='^tar: (.*: Not found in archive|Exiting with failure status due to previous errors)$'

# Since 7.x the image package is empty, and these that it depends on hold the files.
image_packages() { # IMAGE RELEASE
    parts=$(apt-cache depends "$1" |
        sed -n "s/^ *Depends: \(linux-[a-z]*-$2\)\$/\1/p")
    echo "${parts:-$1}"
}

# And its files lie in /usr/lib/modules then: moves them to where they were before.
unify_layout() { # RELEASE
    (
        cd "$output.new"
        if [ -d usr/lib/modules ]; then
            mkdir -p boot lib
            mv usr/lib/modules lib/modules
            mv "lib/modules/$1/vmlinuz" "boot/vmlinuz-$1"
        fi
        [ -s "boot/vmlinuz-$1" ] || die "the packages of $1 have no vmlinuz"
        [ -s "usr/lib/debug/boot/vmlinux-$1" ] || die "the packages of $1 have no vmlinux"
    )
}

# No package may lack these in the end.
check_modules() {
    for module in kvm kvm-amd irqbypass qemu_fw_cfg virtio_blk; do
        [ -n "$(find "$output.new/lib/modules" -name "$module.ko*" -size +0)" ] ||
            die "the packages of $release have no $module.ko"
    done
    for module in kvm kvm-amd; do
        [ -n "$(find "$output.new/usr/lib/debug/lib" -name "$module.ko*" -size +0)" ] ||
            die "the packages of $release have no debug information of $module.ko"
    done
}

mkdir -p "$cache"
[ -z "$suite" ] || use_private_apt "$suite"
image=$(current_package '')
debug=$(current_package '-dbg')
release=${image#linux-image-}
image_debs=
for package in $(image_packages "$image" "$release"); do
    image_debs="$image_debs $(download "$package")"
done
debug_deb=$(download "$debug")

stamp="$(for deb in $image_debs; do basename "$deb"; done | xargs) $(basename "$debug_deb") $(sha256sum "$0" | cut -d' ' -f1)"
if [ -f "$output/stamp" ] && [ "$(cat "$output/stamp")" = "$stamp" ]; then
    exit 0
fi
echo "extracting $release" >&2
rm -rf "$output" "$output.new"
mkdir -p "$output.new"
for deb in $image_debs; do
    extract_some "$deb" './boot/vmlinuz-*' './usr/lib/modules/*/vmlinuz' '*/kvm*.ko*' \
        '*/irqbypass.ko*' '*/qemu_fw_cfg.ko*' '*/drivers/virtio/*.ko*' '*/virtio_blk.ko*' \
        '*/modules.builtin'
done
extract_some "$debug_deb" './usr/lib/debug/boot/vmlinux-*' \
    './usr/lib/debug/lib/modules/*/vmlinux' './usr/lib/debug/lib/*/kvm*.ko*' \
    './usr/lib/debug/lib/*/irqbypass.ko*' './usr/lib/debug/lib/*/qemu_fw_cfg.ko*'
unify_layout "$release"
check_modules
echo "$release" >"$output.new/release"
echo "$stamp" >"$output.new/stamp"
mv "$output.new" "$output"
