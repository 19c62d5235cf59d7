# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034
# What the scripts share. To be sourced; sets ROOT and CACHE.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
CACHE=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/ferry
SELF=$(basename "$0")

say()
{
	printf '%s: %s\n' "$SELF" "$*" >&2
}

# die [-STATUS] SENTENCE...
die()
{
	local status=1

	if [[ $1 =~ ^-[0-9]+$ ]]; then
		status=${1#-}
		shift
	fi
	say "$*"
	exit "$status"
}

# usage: print the comment at the head of the calling script.
usage()
{
	awk 'NR > 2 { if (!/^#/) exit; sub(/^# ?/, ""); print }' "$0"
}

# debian: the code name of this Debian, or nothing on another system.
debian()
{
	# shellcheck disable=SC1091
	(. /etc/os-release && [ "$ID" = debian ] && echo "$VERSION_CODENAME") 2>/dev/null || true
}

# kernel_release DIR: what uname -r says on the kernel whose headers or build
# directory that is.
kernel_release()
{
	local release

	release=$(sed -n 's/.*UTS_RELEASE "\(.*\)"/\1/p' "$1/include/generated/utsrelease.h" \
		2>/dev/null) || true
	[ -n "$release" ] || die -125 "There are no kernel headers in '$1': name a kernel's build directory, or install its headers."
	echo "$release"
}

# kernel_find NAME: look up a kernel by the name a person types, see
# scripts/vm --help. Makes a tree or a debug kernel if there is none yet.
#
# Sets	KERNEL_RELEASE	as uname -r will say
#	KERNEL_IMAGE	vmlinuz or vmlinux
#	KERNEL_MODULES	its lib/modules/RELEASE, empty if it has none
#	KERNEL_TREE	the Debian tree it lives in, empty: this host's own
#	KERNEL_BUILD	what external modules are built against, in KERNEL_TREE
kernel_find()
{
	KERNEL_TREE=''
	case $1 in
	6.1)
		if [ "$(debian)" = bookworm ]; then
			kernel_in_tree "$1" ''
		else
			kernel_in_tree "$1" "$("$ROOT/scripts/tree" "$1")"
		fi
		;;
	6.12 | 7.2)
		kernel_in_tree "$1" "$("$ROOT/scripts/tree" "$1")"
		;;
	debug | kcsan)
		kernel_in_build "$("$ROOT/scripts/debug-kernel" --path "$1")"
		;;
	/*)
		kernel_in_build "$1"
		;;
	*)
		die -125 "There is no kernel '$1': say 6.1, 6.12, 7.2, debug, kcsan or the path of a kernel's build directory."
		;;
	esac
}

# kernel_in_tree VERSION TREE: the newest kernel of VERSION in a Debian tree.
kernel_in_tree()
{
	local version=$1 tree=$2 dir

	[ -z "$tree" ] || [ -d "$tree" ] || die -125 "There is no tree for kernel $version."
	dir=$(printf '%s\n' "$tree"/lib/modules/"$version".*-amd64 | sort -V | tail -n 1)
	KERNEL_RELEASE=${dir##*/}
	KERNEL_MODULES=$dir
	KERNEL_TREE=$tree
	KERNEL_BUILD=/lib/modules/$KERNEL_RELEASE/build
	for KERNEL_IMAGE in "$tree/boot/vmlinuz-$KERNEL_RELEASE" "$dir/vmlinuz"; do
		[ ! -f "$KERNEL_IMAGE" ] || return 0
	done
	die -125 "Debian's kernel $version is not installed: run scripts/setup."
}

# kernel_in_build DIR: a kernel in its own build directory.
kernel_in_build()
{
	local dir=$1

	[ -f "$dir/vmlinux" ] || die -125 "'$dir' is not the build directory of a built kernel."
	KERNEL_RELEASE=$(kernel_release "$dir")
	KERNEL_IMAGE=$dir/vmlinux
	KERNEL_BUILD=$dir
	KERNEL_MODULES=$dir/lib/modules/$KERNEL_RELEASE
	[ -d "$KERNEL_MODULES" ] || KERNEL_MODULES=''
}
