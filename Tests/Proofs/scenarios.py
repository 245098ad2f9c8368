#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every scenario is red once what it is about is broken.

Each of the changes below is made to a copy of one file of Sources, which is compiled and linked in the place
of the file's own object; then the scenarios of Tests/Scenarios are played with the scripted X server. Exactly
the scenarios named beside a change must fail: more would show that they are about something else, fewer that
they prove nothing. Every scenario is named by one change at least.

    scenarios.py               all changes: some ten minutes
    scenarios.py --list        what is changed, and which scenarios are named
    scenarios.py --only 3,4    those of these numbers

A star at the end of a name stands for all that begin so. ELSE: others fail as well, for what is broken is used
by nearly all of them. Exit code 1 when a change is not noticed as it says.
"""
import argparse
import fnmatch
import json
import os
import pathlib
import re
import resource
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
ALL = sorted(path.stem for path in (ROOT / "Tests/Scenarios").glob("*.txt"))
ELSE = "…"

# What is broken: the file, what stands there, what stands there instead, the scenarios that notice.
CHANGES = [
    ("Recording/Recorder.swift", "conditions.isPaused = controls.pause != nil", "conditions.isPaused = false",
     "pause*"),
    ("Settings/Term.swift", "isOver", "", "pause-ends"),
    ("Recording/Recorder+Control.swift", "try change { $0.withdraw(at: environment.clock().wall) }", "break",
     "consent*"),
    ("Gate/RuleBook.swift", "rule.isFor(window) {", "rule.isFor(window) && false {",
     "exempt-app* exempt-title* exempt-device exempt-hours exempt-for-two-hours exempt-outlasts-a-kill"
     " exempt-taken-back exempt-twice exempt-window* excluded* gap-says-nothing titles-of-exempt-windows"
     " policy-exclusion policy-and-exemption"),
]
