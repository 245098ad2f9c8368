#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds dist/mci_VERSION_ARCH.deb from what `make build` made: packaging/deb.sh
set -euo pipefail
cd "$(dirname "$0")/.."
version=$(sed -n 's/.*static let version = "\(.*\)"/\1/p' Sources/System/CurrentProcess.swift)${1:+$1}
# Who answers for this package: MAINTAINER='Name <address>'. Whoever gives it to others names themselves;
# until then it has an address that cannot be anybody's (RFC 2606).
maintainer=${MAINTAINER:-mci developers <mci@localhost.invalid>}
architecture=$(dpkg --print-architecture)
project=$PWD
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
chmod 755 "$root"
umask 022

make --no-print-directory install PREFIX=/usr DESTDIR="$root/mci" >/dev/null
cd "$root"
doc=mci/usr/share/doc/mci
mkdir -p debian mci/DEBIAN "$doc"
find mci/usr/share/man -type f -exec gzip -9n {} +
{
    cat <<END
mci is Copyright 2026 The authors of mci, under the Apache License, version 2.0: on Debian systems the
full text is in /usr/share/common-licenses/Apache-2.0.

END
    python3 "$project/packaging/notices.py" "$project/.build/checkouts"
} >"$doc/copyright"
gzip -9n >"$doc/changelog.gz" <<END
mci ($version) unstable; urgency=medium

  * See the history of the project.

 -- $maintainer  Sat, 21 Nov 2026 12:00:00 +0000
END
strip --remove-section=.comment --remove-section=.note mci/usr/bin/* mci/usr/lib/mci/*.so
cat >debian/control <<END
Source: mci

Package: mci
Architecture: $architecture
END
depends=$(dpkg-shlibdeps -O mci/usr/bin/* mci/usr/lib/mci/*.so 2>/dev/null | sed -n 's/^shlibs:Depends=//p')
cat >mci/DEBIAN/control <<END
Package: mci
Version: $version
Architecture: $architecture
Maintainer: $maintainer
Installed-Size: $(du -sk mci/usr | cut -f1)
Depends: $depends
Recommends: systemd, dbus-user-session
Suggests: age, zenity
Section: utils
Priority: optional
Description: recorder of keyboard and mouse with consent, sealed to its person
 mci records how a person works with an X11 desktop as training data for AI
 models, on that person's computer, with that person's consent and under that
 person's control. What it stores only that person can read.
 .
 Nothing is recorded before "mcictl consent". The recorder has no network code.
END
echo /etc/X11/Xsession.d/95mci >mci/DEBIAN/conffiles
cat >mci/DEBIAN/postinst <<'END'
#!/bin/sh
set -e
# The drop-in holds where a person's programs may make user namespaces; elsewhere it would do harm.
dropin=/etc/systemd/user/mcid.service.d/50-userns.conf
if [ "$1" = configure ]; then
    if /usr/lib/mci/probe-userns; then
        mkdir -p "${dropin%/*}"
        ln -sf /usr/share/mci/50-userns.conf "$dropin"
    else
        rm -f "$dropin"
    fi
fi
END
cat >mci/DEBIAN/prerm <<'END'
#!/bin/sh
set -e
# policy-rc.d has a say in this. An upgrade leaves the recorder running: mcictl then says how to restart it.
if [ "$1" = remove ] && [ -d /run/systemd/system ] && command -v deb-systemd-invoke >/dev/null; then
    deb-systemd-invoke --user stop mcid.service mci-companion.service mci-holder.service >/dev/null || true
fi
END
cat >mci/DEBIAN/postrm <<'END'
#!/bin/sh
set -e
# What people recorded, and their keys, are theirs: no package removes them.
if [ "$1" = remove ] || [ "$1" = purge ]; then
    rm -f /etc/systemd/user/mcid.service.d/50-userns.conf
    rmdir --ignore-fail-on-non-empty /etc/systemd/user/mcid.service.d 2>/dev/null || true
fi
if [ "$1" = purge ]; then
    echo "mci: what each person recorded stays in ~/.local/state/mci, and their key in ~/.config/mci." >&2
fi
END
chmod 755 mci/DEBIAN/p*
(cd mci && find etc usr -type f -print0 | sort -z | xargs -0 md5sum >DEBIAN/md5sums)
cd - >/dev/null
mkdir -p dist
dpkg-deb -Zxz -z1 --root-owner-group --build "$root/mci" "dist/mci_${version}_$architecture.deb" >/dev/null
echo "dist/mci_${version}_$architecture.deb"
