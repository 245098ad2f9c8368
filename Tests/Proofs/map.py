#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Draws lines of the sources, and says what the map says of the rooms they are in: map.py [COUNT [SEED]]

For a reader to judge: does the line belong where the map says? Exit code 1 where the map does not know a room.
"""
import pathlib
import random
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def rooms():
    """What the map says of each module, and of each folder of Capture."""
    text = (ROOT / "Documentation/Architecture.md").read_text()
    table, folders = text.split("## Modules")[1].split("The folders of `Capture`:")
    found = {}
    for prefix, part in ("", table), ("Capture/", folders.split("\n## ")[0]):
        for names, words in re.findall(r"^\| (`[^|]*`) \| (.*) \|$", part, re.M):
            for name in re.findall(r"`(\w+)`", names):
                found[prefix + name] = words
    return found


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    chance = random.Random(sys.argv[2] if len(sys.argv) > 2 else None)
    lines = [(path.relative_to(ROOT / "Sources"), number, line.strip())
             for path in sorted((ROOT / "Sources").rglob("*.swift"))
             for number, line in enumerate(path.read_text().splitlines(), 1)
             if len(line.strip()) > 12 and not line.strip().startswith("//")]
    said, unknown = rooms(), 0
    for path, number, line in chance.sample(lines, count):
        room = "/".join(path.parts[:2 if path.parts[0] == "Capture" else 1])
        unknown += room not in said
        print(f"{path}:{number}\n    {line[:90]}\n    {room}: {said.get(room, 'NOT ON THE MAP')}")
    sys.exit(unknown > 0)


main()
