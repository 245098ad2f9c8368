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


def describe(command, path, macro):
    shown = [a for a in command.get("arguments", []) if a.get("shouldDisplay", True)
             and not {n["name"] for n in a.get("names", [])} & {"help", "version"}]
    verbs = [c for c in command.get("subcommands", []) if c["commandName"] != "help"]
    yield f'{macro} "{text(path)}"'
    yield text(command.get("abstract", ""))
    for argument in shown:
        yield f".TP\n.B {text(names(argument).strip())}\n{text(argument.get('abstract', ''))}"
    if command.get("discussion"):
        yield ".PP\n.nf\n" + text(command["discussion"]) + "\n.fi"
    for verb in verbs:
        yield from describe(verb, f"{path} {verb['commandName']}", ".SS")


root = json.load(sys.stdin)["command"]
print('.\\" SPDX-License-Identifier: Apache-2.0')
print('.TH MCICTL 1 "" "mci" "User Commands"')
print(f".SH NAME\nmcictl \\- {text(root['abstract'])}")
print(".SH SYNOPSIS\n.B mcictl\n.I verb\n[options]")
lines = list(describe(root, "mcictl", ".SH"))
lines[0] = ".SH DESCRIPTION"
first = next(i for i, line in enumerate(lines) if line.startswith(".SS"))
print("\n".join(lines[:first]) + "\n.SH VERBS\n" + "\n".join(lines[first:]))
print(".SH SEE ALSO\n.BR mcid (1)")
