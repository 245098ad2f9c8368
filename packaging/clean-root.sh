#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Install, use, upgrade, remove and purge in a clean Debian, then install and uninstall from what
# `make build` made: clean-root.sh MCI.deb NEWER.deb [BASE]
# BASE is a debootstrap that is kept for the next time. Needs root and Debian's mirror, nothing else.
set -euo pipefail
old=$(realpath "$1") new=$(realpath "$2") base=${3:-/var/tmp/mci-clean-debian}
sources=$(realpath "$(dirname "$0")/..")
[ "$(id -u)" -eq 0 ] || { echo "It needs root." >&2; exit 77; }

if [ ! -e "$base/.done" ]; then
    rm -rf "$base"
    debootstrap --variant=minbase --include=xvfb,xdotool,x11-apps,systemd bookworm "$base" >/dev/null
    touch "$base/.done"
fi
if [ -z "${MCI_STAGE:-}" ]; then
    MCI_STAGE=1 exec unshare -m -p -f --mount-proc --kill-child "$0" "$old" "$new" "$base"
fi

# A copy that goes away with the namespace.
root=/mnt
mount --make-rprivate /
mount -t tmpfs -o size=2g none "$root"
cp -a "$base/." "$root"
mount -t proc none "$root/proc"
mount --rbind /dev "$root/dev"
cp "$old" "$root/old.deb"
cp "$new" "$root/new.deb"
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod +x "$root/usr/sbin/policy-rc.d"

say() { echo "ok: $*"; }
in_root() { chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive LC_ALL=C "$@"; }
person() { chroot --userspec=4242:4242 "$root" /usr/bin/env -i PATH=/usr/bin:/bin HOME=/home/rig XDG_RUNTIME_DIR=/run/user/4242 \
    DISPLAY=:77 XDG_SESSION_TYPE=x11 TZ=UTC SWIFT_BACKTRACE=enable=no "$@"; }

in_root apt-get install -y -qq --no-install-recommends /old.deb >/dev/null 2>&1
say "installed $(in_root dpkg-query -W -f '${Version}' mci)"
for file in usr/bin/mcid usr/bin/mcictl usr/bin/mci-companion usr/bin/mci-holder \
    usr/bin/mci-read usr/lib/systemd/user/mci-holder.service usr/lib/systemd/user/mcid.service \
    usr/lib/systemd/user/mci-companion.service usr/share/applications/mci.desktop \
    usr/share/man/man1/mci-companion.1.gz etc/X11/Xsession.d/95mci \
    usr/share/man/man1/mcid.1.gz usr/share/man/man1/mcictl.1.gz usr/share/bash-completion/completions/mcictl \
    usr/share/zsh/vendor-completions/_mcictl usr/share/fish/vendor_completions.d/mcictl.fish; do
    [ -s "$root/$file" ] || { echo "missing: $file"; exit 1; }
done
in_root bash -c 'source /usr/share/bash-completion/completions/mcictl && complete -p mcictl' >/dev/null
in_root sh -n /etc/X11/Xsession.d/95mci
say "man pages, completions, unit and session hook are there"

echo "rig:x:4242:4242::/home/rig:/bin/sh" >>"$root/etc/passwd"
mkdir -p "$root/home/rig" "$root/run/user/4242" "$root/tmp/.X11-unix"
chmod 1777 "$root/tmp/.X11-unix"
chown 4242:4242 "$root/home/rig" "$root/run/user/4242"
person Xvfb :77 -noreset -nolisten tcp -ac >/dev/null 2>&1 &
sleep 1
start() {
    person mcid 2>>"$root/tmp/log" &
    daemon=$!
    for _ in $(seq 100); do person mcictl status >/dev/null 2>&1 && return; sleep 0.1; done
    cat "$root/tmp/log"
    exit 1
}
work() {
    person xlogo 2>/dev/null &
    local window
    window=$(person xdotool search --sync --onlyvisible --class XLogo | head -n 1)
    person xdotool windowfocus --sync "$window" key --delay 30 F1 F2 F3
    sleep 0.5
}
person mcictl consent --accept >/dev/null 2>&1
person mcictl set synthetic-keys on --yes >/dev/null 2>&1
say "xdotool types through XTEST, so synthetic-keys is on"
start
work
[ "$(person mcictl log 2>/dev/null | grep -c "key function down")" -ge 2 ] || { person mcictl log | tail -5; person mcictl status; cat "$root/tmp/log"; echo "the keys are not in the log"; exit 1; }
person mcictl doctor || true
say "used: consented, recorded, read back"

consent=$(person mcictl consent --show)
in_root apt-get install -y -qq --no-install-recommends /new.deb >/dev/null 2>&1
[ "$(person mcictl consent --show)" = "$consent" ]
kill "$(cat "$root/home/rig/.local/state/mci/mcid.pid")"
wait "$daemon" || true
start
[ "$(person mcictl log 2>/dev/null | grep -c "key function down")" -ge 2 ]
person mcictl verify >/dev/null
say "upgraded to $(in_root dpkg-query -W -f '${Version}' mci): consent and ring are kept, verify finds all whole"

kill "$(cat "$root/home/rig/.local/state/mci/mcid.pid")"
wait "$daemon" || true
in_root dpkg -L mci >"$root/tmp/files"
in_root apt-get remove -y -qq mci >/dev/null 2>&1
in_root dpkg --purge mci 2>&1 | grep -q "key in ~/.config/mci"
left=$(while read -r file; do [ -f "$root$file" ] && echo "$file"; done <"$root/tmp/files" || true)
[ -z "$left" ] || { echo "left: $left"; exit 1; }
[ -s "$root/home/rig/.local/state/mci/ring.db" ] && [ -s "$root/home/rig/.config/mci/identity" ]
say "removed and purged: nothing of the package is left, and what is the person's is"

# From the sources: as root, and into the person's own folders. The person is asked what becomes of the rest.
in_root apt-get install -y -qq --no-install-recommends make binutils python3 >/dev/null 2>&1
mkdir "$root/src"
mount --bind "$sources" "$root/src"
mount -o remount,bind,ro "$root/src"
as_root() { in_root SUDO_USER=rig "$@"; }
make="make --no-print-directory -C /src"
own="$make PREFIX=/home/rig/.local SYSCONFDIR=/home/rig/.local/etc"
# ANSWERS COMMAND...: the command at a terminal, where the answers are typed.
at_terminal() { printf '%b' "$1" | "${@:2:1}" script -qec "${*:3}" /dev/null; }
has() { [ -e "$root/home/rig/$1" ]; }
ring=.local/state/mci/ring.db key=.config/mci/identity
fail() { echo "$*"; exit 1; }

as_root $make install >/dev/null
person $own install >/dev/null
person /home/rig/.local/bin/mcictl --version >/dev/null
in_root /usr/local/bin/mcid --version >/dev/null
at_terminal 'n\nn\n' as_root $make uninstall >"$root/tmp/said"
[ "$(grep -c 'It stays' "$root/tmp/said")" = 2 ] || fail "$(cat "$root/tmp/said")"
has $ring && has $key || fail "no was answered, and it is gone"
left=$(find "$root/usr/local" "$root/etc/X11/Xsession.d/95mci" -type f 2>/dev/null || true)
[ -z "$left" ] || fail "left: $left"
say "make install and uninstall with sudo: nothing is left, and with two times no what is the person's is"

person $own uninstall </dev/null >"$root/tmp/said" 2>&1
[ "$(grep -c 'Kept: /home/rig/' "$root/tmp/said")" = 2 ] || fail "$(cat "$root/tmp/said")"
has $ring && has $key || fail "nobody was asked, and it is gone"
at_terminal 'y\nn\n' person $own uninstall >"$root/tmp/said"
! has .local/state/mci && has $key || fail "yes and no: $(cat "$root/tmp/said")"
at_terminal 'yes\n' person $own uninstall >"$root/tmp/said"
! has .config/mci || fail "yes: $(cat "$root/tmp/said")"
! grep -q 'What mci recorded' "$root/tmp/said" || fail "asked about what is not there"
left=$(find "$root/home/rig/.local" -type f -o -name '*mci*')
[ -z "$left" ] || fail "left: $left"
say "uninstalled by the person: without a terminal all stays; each answer does what it says"
