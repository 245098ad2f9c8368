# SPDX-License-Identifier: Apache-2.0
"""Reads a ring with nothing but Documentation/Format.md and age: decode.py RING IDENTITY"""
import sqlite3, struct, subprocess, sys, zlib

CLASSES = "key letter digit punctuation space keypad modifier navigation editing function media other".split()
REASONS = ("- no-consent paused session-locked unknown-context keyboard-grabbed disconnected not-running lost "
           "suspended key-detail-off unpaired-release fault disk-full exempt excluded not-allowed "
           "mark-hidden asleep away unattended").split()
PHASES, KINDS = "down move up".split(), "other keyboard mouse touchpad touchscreen tablet".split()
MODIFIERS = ["shift", "lock", "ctrl", "alt", "super", "altgr", "numlock"]

class Bytes:
    def __init__(self, data): self.data, self.at = data, 0
    def u8(self): self.at += 1; return self.data[self.at - 1]
    def take(self, count): self.at += count; return self.data[self.at - count:self.at]
    def varint(self):
        value = shift = 0
        while True:
            byte = self.u8()
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128: return value
    def zigzag(self): value = self.varint(); return value >> 1 ^ -(value & 1)
    def text(self): return self.take(self.varint()).decode(errors="replace")
    def runs(self):
        while self.at < len(self.data):
            value, count = self.u8(), self.varint()
            yield from (value for _ in range(count))

def nibble(value): return value - 16 if value > 7 else value

def batch(plain):
    size, = struct.unpack("<I", plain[:4])
    parts, sections = Bytes(zlib.decompress(plain[4:4 + size])), {}
    while parts.at < len(parts.data):
        name = parts.u8()
        sections[name] = Bytes(parts.take(parts.varint()))
    header, *columns = (sections.get(n, Bytes(b"")) for n in [*range(1, 19), 20, 21])
    (kinds, devices, times, keys, modifiers, keysyms, buttons, motions, wide, scrolls, apps, gaps, titles,
     places, axes, table, screen, typing, origins) = columns
    if screen.data:
        size = f"{screen.varint()}x{screen.varint()}"
        print("screen", size, *("{2}x{3}+{0}+{1} {4}x{5}".format(screen.zigzag(), screen.zigzag(), *(screen.varint() for _ in range(4)))
                                for _ in range(screen.u8())))
    injected = {origins.u8(): origins.u8() for _ in range(len(origins.data) // 2)}
    while table.at < len(table.data):
        line = ["device", number := table.u8(), KINDS[table.u8()], table.u8(), table.u8(), table.varint(), table.varint(), table.text(),
                *(f"{table.u8()}:{table.text()}:{table.zigzag()}..{table.zigzag()}:{table.zigzag()}" for _ in range(table.u8()))]
        print(*line, *["injected"] * injected.get(number, line[7].endswith((" XTEST keyboard", " XTEST pointer"))))
    kinds, devices, modifiers = kinds.runs(), devices.runs(), modifiers.runs()
    version, number, count, time, offset = header.varint(), header.varint(), header.varint(), header.zigzag(), header.zigzag()
    assert version in (2, 3, 4)
    for kind in (next(kinds) for _ in range(count)):
        time += times.zigzag()
        place, kind = (("at", places.zigzag(), places.zigzag()) if kind & 128 else ()), kind & 127
        device = next(devices) if kind not in (5, 6) else None
        if kind == 1:
            code, held = keys.u8(), next(modifiers)
            words = "+".join(word for bit, word in enumerate(MODIFIERS) if held >> bit & 1)
            told = keysyms.varint() if code & 64 else 0
            fields = ["key", "down" if code & 128 else "up", CLASSES[code & 63], words, told]
        elif kind == 2: code = buttons.varint(); fields = ["button", code >> 1, "down" if code & 1 else "up"]
        elif kind == 3:
            code = motions.u8()
            fields = ["motion", *((wide.zigzag(), wide.zigzag()) if code == 0x88 else (nibble(code >> 4), nibble(code & 15)))]
        elif kind == 4: fields = ["scroll", scrolls.zigzag(), scrolls.zigzag()]
        elif kind == 9: fields = ["typing", typing.varint()]
        elif kind == 5: fields = ["focus", apps.text(), titles.text() if titles.data else ""]
        elif kind == 7: fields = ["axes"]
        elif kind == 8: code = buttons.varint(); fields = ["touch", code // 4, PHASES[code % 4]]
        else: fields = ["gap", REASONS[gaps.u8()], ["", "keyboard", "pointer"][gaps.u8()], time + gaps.zigzag() + offset]
        if kind in (7, 8): held = axes.u8(); fields += [f"{axis}={axes.zigzag()}" for axis in range(8) if held >> axis & 1]
        print(time + offset, "" if device is None else device, *fields, *place)

for _, sealed in sqlite3.connect(sys.argv[1]).execute("SELECT seq, sealed FROM ring WHERE t_end > 1 << 40 ORDER BY seq"):
    batch(subprocess.run(["age", "-d", "-i", sys.argv[2]], input=sealed, capture_output=True, check=True).stdout)
