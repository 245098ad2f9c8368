#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""mcictl(1), from the command's own description: mcictl --experimental-dump-help | manual.py"""
import json
import sys


def text(words):
    """Words escaped so that man sees no commands."""
    words = words.replace("\\", "\\e").replace("-", "\\-")
    return "\n".join("\\&" + line if line[:1] in (".", "'") else line for line in words.splitlines())


def names(argument):
    shown = ["--" + n["name"] if n["kind"] == "long" else "-" + n["name"] for n in argument.get("names", [])]
    value = "" if argument["kind"] == "flag" else f" <{argument.get('valueName', '')}>"
    return ", ".join(sorted(shown, key=len)) + value


def paragraphs(discussion):
    """A text whose lines are paragraphs, except for examples and tables."""
    for line in discussion.splitlines():
        if not line.strip():
            yield ".PP"
        elif line.startswith(" ") or "   " in line or line.isupper():
            yield f".nf\n{text(line)}\n.fi"
        else:
            yield text(line)


def describe(command, path, macro):
    shown = [a for a in command.get("arguments", []) if a.get("shouldDisplay", True)
             and not {n["name"] for n in a.get("names", [])} & {"help", "version"}]
    verbs = [c for c in command.get("subcommands", []) if c["commandName"] != "help"]
    yield f'{macro} "{text(path)}"'
    yield text(command.get("abstract", ""))
    for argument in shown:
        yield f".TP\n.B {text(names(argument).strip())}\n{text(argument.get('abstract', ''))}"
    if command.get("discussion"):
        yield ".PP"
        yield from paragraphs(command["discussion"])
    for verb in verbs:
        yield from describe(verb, f"{path} {verb['commandName']}", ".SS")


def items(title, rows):
    return f".SH {title}\n" + "\n".join(f".TP\n.B {text(name)}\n{text(what)}" for name, what in rows)


# What no single verb's help can say.
PLACES = "\n".join([
    items("EXIT STATUS", [
        ("0", "Done."),
        ("1", "It failed; the message says why and what to do next. verify: the recording is not whole. doctor: "
              "a check fails. policy check: mci would not accept the policy."),
        ("3", "status: mcid is not running."),
        ("4", "status: mcid is running but does not answer."),
        ("64", "Wrong usage; nothing was done."),
        ("69", "mcid cannot be reached."),
        ("77", "Refused: nobody could be asked, or consent or a passphrase is missing."),
        ("128+N", "replay: signal N ended it, after all keys were released."),
    ]),
    items("ENVIRONMENT", [
        ("MCI_PASSPHRASE_FILE", "A file with the passphrase of a protected identity."),
        ("MCI_PAGER, PAGER", "The pager of mcictl log on a terminal; less if neither is set."),
        ("MCI_POLICY", "The full path of a policy, used if /etc/mci/policy.json does not exist."),
        ("NO_COLOR", "If set to anything, no colours are used."),
        ("LC_ALL, LC_CTYPE, LANG", "If they name a locale without UTF-8, text for people is ASCII."),
        ("TZ", "The time zone of all times read and written; times in JSON are UTC."),
        ("XDG_STATE_HOME, XDG_CONFIG_HOME, XDG_RUNTIME_DIR", "The locations of state, configuration and sockets."),
    ]),
    items("FILES", [
        ("~/.local/state/mci/ring.db", "The recording, sealed to the person's key."),
        ("~/.local/state/mci/controls.json", "Consent, pause and exemptions, signed."),
        ("~/.config/mci/identity", "The private key; without it, the recording cannot be read."),
        ("~/.config/mci/public/", "Settings and public keys, which mcid reads."),
        ("/etc/mci/policy.json", "The most that the administrator allows."),
        ("$XDG_RUNTIME_DIR/mci/control", "The control socket of mcid; it speaks varlink."),
    ]),
])

root = json.load(sys.stdin)["command"]
print('.\\" SPDX-License-Identifier: Apache-2.0')
print('.TH MCICTL 1 "" "mci" "User Commands"')
print(f".SH NAME\nmcictl \\- {text(root['abstract'])}")
print(".SH SYNOPSIS\n.B mcictl\n.I verb\n[options]")
lines = list(describe(root, "mcictl", ".SH"))
lines[0] = ".SH DESCRIPTION"
first = next(i for i, line in enumerate(lines) if line.startswith(".SS"))
print("\n".join(lines[:first]) + "\n.SH VERBS\n" + "\n".join(lines[first:]))
print(PLACES)
print(".SH SEE ALSO\n.BR mcid (1)")
