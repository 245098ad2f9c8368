#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# README's two commands, `make run` and `make test`, in a clean Debian: fresh.sh [BASE]
# The Swift toolchain and the packages that were fetched already are mounted read-only; everything else
# comes from Debian's mirror. BASE is a debootstrap that is kept for the next time. Needs root.
# ONLY=run or ONLY=test runs one of the two; SWIFT_ROOT names another toolchain.
set -euo pipefail
base=${1:-/var/tmp/mci-fresh-debian}
sources=$(realpath "$(dirname "$0")/..")
[ "$(id -u)" -eq 0 ] || { echo "It needs root." >&2; exit 77; }
toolchain=${SWIFT_ROOT:-$(realpath "$(dirname "$(realpath "$(command -v swift)")")/../..")}
[ "$toolchain" != / ] || { echo "Swift lies among the system's files. Next: SWIFT_ROOT=FOLDER make fresh" >&2; exit 64; }
suite=$(. /etc/os-release && echo "${VERSION_CODENAME:-bookworm}")
command -v debootstrap >/dev/null || apt-get install -y -qq --no-install-recommends debootstrap >/dev/null

# What the toolchain asks for (swift.org, "Install on Debian"), and make: README takes both for granted.
prerequisites=make,ca-certificates,binutils,gcc,git,libc6-dev,libcurl4,libedit2,libncurses6,g++,libxml2,tzdata,zlib1g-dev
if [ ! -e "$base/.done" ]; then
    rm -rf "$base"
    debootstrap --variant=minbase --include="$prerequisites" "$suite" "$base" >/dev/null
    touch "$base/.done"
fi
if [ -z "${MCI_STAGE:-}" ]; then
    MCI_STAGE=1 exec unshare -m -p -f --mount-proc --kill-child "$0" "$base"
fi

# A copy that goes away with the namespace.
root=/mnt
mount --make-rprivate /
mount -t tmpfs -o size=12g none "$root"
cp -a "$base/." "$root"
mount -t proc none "$root/proc"
mount -t sysfs -o ro none "$root/sys"
mount --rbind /dev "$root/dev"
cp /etc/resolv.conf "$root/etc/resolv.conf"
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod +x "$root/usr/sbin/policy-rc.d"
# FROM TO: nobody in there changes what is not theirs.
lend() { mkdir -p "$root$2"; mount --bind "$1" "$root$2"; mount -o remount,bind,ro "$root$2"; }
lend "$toolchain" "$toolchain"

# What a clone has, and what SwiftPM and pip would fetch.
mkdir -p "$root/src/.build"
git -c safe.directory='*' -C "$sources" ls-files -z | tar -C "$sources" --null -T - -cf - | tar -C "$root/src" -xf -
for kept in repositories checkouts workspace-state.json; do
    [ ! -e "$sources/.build/$kept" ] || cp -a "$sources/.build/$kept" "$root/src/.build/"
done
[ ! -e "$sources/Package.resolved" ] || cp "$sources/Package.resolved" "$root/src/"
[ ! -d "$sources/.build-python" ] || lend "$(realpath "$sources/.build-python")" /src/.build-python

failed=0
# COMMAND...: in there, as a person who has just cloned would run it; what it says is in a file.
fresh() {
    local started=$SECONDS result=ok log=$root/tmp/said
    # Not chroot: in one the kernel lets nobody make a user namespace, as a user's services do.
    unshare -m sh -c 'cd "$0" && mkdir -p .old && pivot_root . .old && umount -l /.old && exec "$@"' "$root" \
        /usr/bin/env -i PATH="$toolchain/usr/bin:/usr/sbin:/usr/bin:/sbin:/bin" HOME=/root \
        DEBIAN_FRONTEND=noninteractive LANG=C.UTF-8 sh -c "cd /src && exec $*" </dev/null >"$log" 2>&1 \
        || { result=FAILED; failed=1; }
    grep -aE '✘|error:' "$log" | cut -c1-300 | head -n 40 || true
    [ "$result" = ok ] || tail -n 15 "$log" | cut -c1-300
    echo "$result: $* ($((SECONDS - started)) s) $(grep -aoE 'Test run with.*|[0-9]+ rows? · .*' "$log" | tail -n 1 || true)"
}
[ "${ONLY:-run}" != run ] || fresh make run
[ "${ONLY:-test}" != test ] || fresh make test
exit "$failed"
