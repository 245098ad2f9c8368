# SPDX-License-Identifier: Apache-2.0
"""Reads the payload of a release, knowing Documentation/Release-format.md and Format.md alone."""
import json
import struct
import sys
import zlib

KINDS = {1: "key", 2: "button", 3: "motion", 4: "scroll", 5: "focus", 6: "gap", 9: "typing"}


class Section:
    def __init__(self, data=b""):
        self.data, self.at, self.run = data, 0, (0, 0)

    def byte(self):
        self.at += 1
        return self.data[self.at - 1]

    def varint(self):
        value = shift = 0
        while True:
            byte = self.byte()
            value, shift = value | (byte & 127) << shift, shift + 7
            if byte < 128:
                return value

    def zigzag(self):
        value = self.varint()
        return value >> 1 ^ -(value & 1)

    def in_run(self):
        if self.run[1] == 0:
            self.run = (self.byte(), self.varint())
        self.run = (self.run[0], self.run[1] - 1)
        return self.run[0]

    def text(self):
        count = self.varint()
        self.at += count
        return self.data[self.at - count:self.at].decode()


def items(frame):
    data, sections = Section(frame), {}
    while data.at < len(frame):
        number = data.byte()
        count = data.varint()
        sections[number] = Section(frame[data.at:data.at + count])
        data.at += count
    of = lambda number: sections.setdefault(number, Section())
    header = of(1)
    assert header.varint() == 4
    header.varint()
    count, time = header.varint(), header.zigzag()
    assert header.zigzag() == 0 and header.data[header.at:header.at + 16] == bytes(16)
    for _ in range(count):
        code = of(2).in_run()
        kind, time = KINDS[code & 127], time + of(4).zigzag()
        item = {"kind": kind, "time": time}
        if kind not in ("focus", "gap"):
            item["device"] = of(3).in_run()
        if code & 128:
            item["x"], item["y"] = of(15).zigzag(), of(15).zigzag()
        if kind == "key":
            byte = of(5).byte()
            item.update(down=byte >> 7, group=byte & 63, modifiers=of(6).in_run())
            item["keysym"] = of(7).varint() if byte & 64 else 0
        elif kind == "button":
            item["button"] = of(8).varint()
        elif kind == "motion":
            byte = of(9).byte()
            nibbles = [(byte >> 4 ^ 8) - 8, (byte & 15 ^ 8) - 8]
            item["by"] = nibbles if byte != 0x88 else [of(10).zigzag(), of(10).zigzag()]
        elif kind == "scroll":
            item["by"] = [of(11).zigzag(), of(11).zigzag()]
        elif kind == "focus":
            item["app"] = of(12).text()
        elif kind == "gap":
            item.update(reason=of(13).byte(), stream=of(13).byte(), length=of(13).zigzag())
        elif kind == "typing":
            item["seconds"] = of(20).varint()
        yield item


def payload(data):
    at = 0
    while (size := struct.unpack_from("<I", data, at)[0]) > 0:
        yield from items(zlib.decompress(data[at + 4:at + 4 + size]))
        at += 4 + size
    assert len(data) % 65536 == 0 and not any(data[at:-32])


if __name__ == "__main__":
    for item in payload(open(sys.argv[1], "rb").read()):
        print(json.dumps(item, sort_keys=True))
