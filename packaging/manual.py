#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""mcictl(1), from the command's own description: mcictl --experimental-dump-help | manual.py"""
import json
import sys


def text(words):
    """Words in which man sees no commands."""
    words = words.replace("\\", "\\e").replace("-", "\\-")
    return "\n".join("\\&" + line if line[:1] in (".", "'") else line for line in words.splitlines())


def names(argument):
    shown = ["--" + n["name"] if n["kind"] == "long" else "-" + n["name"] for n in argument.get("names", [])]
    value = "" if argument["kind"] == "flag" else f" <{argument.get('valueName', '')}>"
    return ", ".join(sorted(shown, key=len)) + value


def paragraphs(discussion):
    """A text whose lines are paragraphs, but for examples and tables."""
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


# What no help can say of all verbs at once.
PLACES = "\n".join([
    items("EXIT STATUS", [
        ("0", "Done."),
        ("1", "It failed; the sentence says why and what to do next. Of verify: the recording is not whole. Of "
              "doctor: something fails. Of policy check: mci would not accept it."),
        ("3", "Of status: mcid does not run."),
        ("4", "Of status: mcid runs and does not answer."),
        ("64", "Wrong usage; nothing was done."),
        ("69", "mcid cannot be reached."),
        ("77", "Refused: nobody could be asked, or consent or a passphrase is missing."),
        ("128+N", "Of replay: signal N ended it, after it had released all keys."),
    ]),
    items("ENVIRONMENT", [
        ("MCI_PASSPHRASE_FILE", "A file with the passphrase of a protected identity."),
        ("MCI_PAGER, PAGER", "The pager of mcictl log on a terminal; less where neither is set."),
        ("MCI_POLICY", "A policy in another place than /etc/mci/policy.json, where that does not exist."),
        ("NO_COLOR", "Where it is set to anything, no colours."),
        ("LC_ALL, LC_CTYPE, LANG", "Where they name a locale without UTF-8, what is for people is ASCII."),
        ("TZ", "The time zone of all times that are read and written; those in JSON are UTC."),
        ("XDG_STATE_HOME, XDG_CONFIG_HOME, XDG_RUNTIME_DIR", "Where state, configuration and sockets are."),
    ]),
    items("FILES", [
        ("~/.local/state/mci/ring.db", "The recording, sealed to its person."),
        ("~/.local/state/mci/controls.json", "Consent, pause and exemptions, signed."),
        ("~/.config/mci/identity", "The private key: without it nobody can read the recording."),
        ("~/.config/mci/public/", "Settings and public keys, which mcid reads."),
        ("/etc/mci/policy.json", "What the administrator allows at the most."),
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
