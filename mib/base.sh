#!/bin/bash
# base.sh - fetch the modules that the MIBs here import, which smilint,
# snmptranslate and snmptable need before they understand them.
#
#   mib/base.sh [DIR]         (build/mibs of the source tree if not given)
#
# Debian's SNMP packages leave them out. They are taken from a directory of this
# machine that has them, or else out of the package erlang-snmp, which is in
# Debian's and Ubuntu's own archives; that is unpacked and not installed, so that
# nothing comes along and no privilege is needed. HCNUM-TC is in no package there
# at all, so that base/HCNUM-TC stands in for it. What is in DIR stays there.
set -eu
cd "$(dirname "$0")/.."
dir=${1:-build/mibs}
modules='SNMPv2-SMI SNMPv2-TC SNMPv2-CONF SNMPv2-MIB SNMP-FRAMEWORK-MIB INET-ADDRESS-MIB'

complete() {
	local m
	for m in $modules; do [ -s "$1/$m" ] || return 1; done
}
complete "$dir" && cmp -s mib/base/HCNUM-TC "$dir/HCNUM-TC" && exit 0

mkdir -p "$(dirname "$dir")"
tmp=$(mktemp -d -p "$(dirname "$dir")" --suffix=.mibs)
trap 'rm -rf "$tmp"' EXIT
mkdir "$tmp/mibs"

# take DIR SUFFIX copies the modules that are in a directory as NAME SUFFIX.
take() {
	local m
	for m in $modules; do [ -s "$1/$m$2" ] || return 1; done
	for m in $modules; do cp "$1/$m$2" "$tmp/mibs/$m"; done
}

download() {
	(cd "$tmp" && apt-get -qq -o APT::Sandbox::User=root download erlang-snmp)
}

if ! take /usr/share/snmp/mibs .txt && ! take /var/lib/mibs/ietf '' &&
	! take /var/lib/snmp/mibs/ietf '' && ! take /usr/share/mibs/ietf ''; then
	command -v apt-get >/dev/null || {
		echo "base.sh: no apt-get here; put $modules into $dir by hand" >&2
		exit 1
	}
	# A machine that was just installed has no list of packages yet.
	download 2>"$tmp/err" || { [ "$(id -u)" = 0 ] && apt-get -qq update && download; } || {
		cat "$tmp/err" >&2
		echo "base.sh: apt-get cannot download erlang-snmp; try apt-get update first" >&2
		exit 1
	}
	dpkg-deb -x "$tmp"/erlang-snmp_*.deb "$tmp/deb"
	take "$(echo "$tmp"/deb/usr/lib/erlang/lib/snmp-*/mibs)" .mib || {
		echo "base.sh: erlang-snmp has no $modules any more" >&2
		exit 1
	}
fi
cp mib/base/HCNUM-TC "$tmp/mibs"
mkdir -p "$dir"
mv -f "$tmp"/mibs/* "$dir/"
