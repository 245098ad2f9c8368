#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The notices of what is linked into the programs: notices.py CHECKOUTS [TOOLCHAIN_LICENCE]

CHECKOUTS is where SwiftPM keeps the packages, TOOLCHAIN_LICENCE the licence of the Swift that built them;
without it swift is asked where it is. A licence that is not known here ends this with 1: read it first.
"""
import json
import pathlib
import re
import subprocess
import sys

checkouts = pathlib.Path(sys.argv[1])
if len(sys.argv) > 2:
    toolchain = pathlib.Path(sys.argv[2])
else:
    # The command may only stand for the real one elsewhere, as with a manager of toolchains.
    info = json.loads(subprocess.check_output(["swift", "-print-target-info"]))
    toolchain = pathlib.Path(info["paths"]["runtimeResourcePath"]).parents[1] / "share/swift/LICENSE.txt"
APACHE = "Apache License"
EXCEPTION = "Runtime Library Exception"


def heading(title):
    print(f"\n{title}\n{'-' * len(title)}\n")


def indented(text):
    for line in text.strip("\n").splitlines():
        print(("  " + line.rstrip()).rstrip())


def first_comment(path):
    """What a file of C says of itself before its code."""
    text = path.read_text(errors="replace")
    match = re.match(r"\s*(/\*.*?\*/|(?://[^\n]*\n)+)", text, re.S)
    return match[1] if match else ""


licence = toolchain.read_text()
if APACHE not in licence or EXCEPTION not in licence:
    sys.exit(f"{toolchain.name}: not the licence of Swift that is known here")
exception = licence[licence.index("## " + EXCEPTION):].strip("# \n")
print("Programs of this package contain code of others. Where nothing else stands below, its licence is the\n"
      "Apache License, version 2.0: on Debian systems the full text is in\n"
      "/usr/share/common-licenses/Apache-2.0.")
heading("The Swift runtime, standard library, Dispatch and FoundationEssentials")
print("Copyright 2014-2026 Apple Inc. and the Swift project authors. The licence has an exception:\n")
indented(re.sub(r"\n{2,}", "\n\n", exception))

for package in sorted(path for path in checkouts.iterdir() if path.is_dir()):
    text = (package / "LICENSE.txt").read_text()
    if APACHE not in text:
        sys.exit(f"{package.name}: its licence is not known here")
    heading(package.name)
    if EXCEPTION in text:
        print("With the exception that stands above.\n")
    notice = package / "NOTICE.txt"
    if notice.exists():
        indented(notice.read_text())
    else:
        print("Copyright its authors, as they are named in its history.")

crypto = checkouts / "swift-crypto" / "Sources"
heading("BoringSSL, within swift-crypto")
owners = set()
for path in (crypto / "CCryptoBoringSSL").rglob("*"):
    if path.is_file():
        owners |= set(re.findall(r"^(?://|/?\*)\s*(Copyright [^\n]*?)\s*(?:\*/)?$",
                                 path.read_text(errors="replace")[:4000], re.M))
for owner in sorted(owners):
    print("  " + owner)
if (crypto / "CCryptoBoringSSL" / "third_party" / "fiat").exists():
    print("\nIts folder third_party/fiat is of the fiat-crypto authors (Copyright 2015-2020), who give it under the\n"
          "Apache License, version 2.0, among others.")

own = crypto / "CXKCP"
if own.exists():
    heading("The eXtended Keccak Code Package, within swift-crypto")
    for comment in sorted({first_comment(path) for path in own.rglob("*") if path.suffix in (".c", ".h", ".inc")}):
        if comment:
            indented(comment)
            print()
