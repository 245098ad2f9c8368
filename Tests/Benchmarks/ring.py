# SPDX-License-Identifier: Apache-2.0
"""The peers of the ring: the same events in a plain SQLite table, and the entropy floor of their columns."""
import bz2
import csv
import lzma
import os
import re
import resource
import sqlite3
import subprocess
import sys

folder = sys.argv[1]
figures = open(f"{folder}/figures").read()
events = int(re.search(r"peers  (\d+)", figures)[1])

plain = sqlite3.connect(f"{folder}/plain.db")
with open(f"{folder}/events.csv", newline="") as file:
    rows = csv.reader(file)
    plain.execute("CREATE TABLE e(time, type, state, class, keysym, modifiers, button, dx, dy, app, reason, 'to', stream, device)")
    plain.executemany(f"INSERT INTO e VALUES({','.join('?' * 14)})", ([x or None for x in row] for row in rows))
plain.commit()
plain.close()
before = resource.getrusage(resource.RUSAGE_CHILDREN)
with open(os.devnull, "w") as null:
    subprocess.run(["sqlite3", "-csv", f"{folder}/plain.db", "SELECT * FROM e"], stdout=null, check=True)
after = resource.getrusage(resource.RUSAGE_CHILDREN)
seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
print(f"read   sqlite3 dumping a plain table as CSV: {events} events in {seconds:.2f} s = {events / seconds / 1e6:.2f} M events/s")
print(f"size   plain table: {os.path.getsize(folder + '/plain.db') / events:.1f} bytes/event")

floor = 0
for name in sorted(os.listdir(folder)):
    if name.startswith("column."):
        data = open(f"{folder}/{name}", "rb").read()
        best = min(len(lzma.compress(data, preset=9 | lzma.PRESET_EXTREME)), len(bz2.compress(data, 9)))
        floor += best
kept = float(re.findall(r"([\d.]+) bytes kept/event", figures)[0])
print(f"size   ring {kept:.2f} bytes/event, columns through xz -9e or bzip2 -9, whichever is smaller: "
      f"{floor / events:.2f}, ratio {kept / (floor / events):.2f}")
