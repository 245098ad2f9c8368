# SPDX-License-Identifier: Apache-2.0
"""Makes a stopped mcid's ring look full, as after some weeks: fill.py RING. The slots stay zeros."""
import sqlite3
import sys
import time

ORIGIN = 1 << 40
MINUTE = 60_000

ring = sqlite3.connect(sys.argv[1])
slots = ring.execute("SELECT count(*) FROM ring").fetchone()[0]
end = int(time.time() * 1000) // MINUTE * MINUTE
ring.execute(
    "UPDATE ring SET seq = ?1 + CASE slot WHEN 0 THEN ?2 ELSE slot END, t_end = ?3 - (?2 - slot) * ?4",
    (ORIGIN, slots, end, MINUTE),
)
ring.commit()
ring.execute("PRAGMA wal_checkpoint(TRUNCATE)")
