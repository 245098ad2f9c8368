# SPDX-License-Identifier: Apache-2.0
"""Random local times around the changes of clocks, and what Python's zoneinfo says of them.

    zones.py ZONES TIMES SEED

A line each: zone, year, month, day, hour, minute, second, the earliest and the latest moment in seconds
since 1970, and how often the clock shows the time. The zones are taken from all there are, each with both
changes of a year where it has some, and with an ordinary day.
"""
import datetime
import random
import sys
import zoneinfo

UTC = datetime.timezone.utc
zones, times, seed = map(int, sys.argv[1:])
chance = random.Random(seed)


def changes(zone, year):
    """The hours of the year before which the offset is another than after them."""
    found = []
    moment = datetime.datetime(year, 1, 1, tzinfo=UTC)
    last = moment.astimezone(zone).utcoffset()
    for _ in range(366 * 24):
        moment += datetime.timedelta(hours=1)
        offset = moment.astimezone(zone).utcoffset()
        if offset != last:
            found.append(moment)
        last = offset
    return found


names = sorted(n for n in zoneinfo.available_timezones() if not n.startswith(("posix", "right")))
always = ["Europe/Berlin", "Pacific/Auckland", "Australia/Lord_Howe", "Europe/Dublin", "Africa/Casablanca",
          "America/St_Johns", "Asia/Beirut", "America/Havana", "Antarctica/Troll", "Pacific/Apia"]
chosen = always + chance.sample([n for n in names if n not in always], max(0, zones - len(always)))
for name in chosen[:zones]:
    zone = zoneinfo.ZoneInfo(name)
    # Pacific/Apia left out a day in 2011; Europe/Volgograd changed its zone in 2018.
    year = {"Pacific/Apia": 2011, "Europe/Volgograd": 2018}.get(name, chance.choice([2026, 2026, 2027, 2019]))
    moments = changes(zone, year) or [datetime.datetime(year, 3, 29, 1, tzinfo=UTC)]
    for moment in moments[:4] + [datetime.datetime(year, 7, 1, tzinfo=UTC)]:
        for _ in range(times):
            near = moment + datetime.timedelta(seconds=chance.randrange(-9000, 9000))
            if chance.random() < .2:
                near += datetime.timedelta(hours=chance.randrange(-40, 40))
            local = near.astimezone(zone).replace(tzinfo=None)
            # Times that the clock leaps over are made from those it shows.
            local += datetime.timedelta(minutes=chance.choice([0, 0, 30, 60, -30, -60, 17]))
            local = local.replace(microsecond=0)
            read = [int(local.replace(tzinfo=zone, fold=fold).timestamp()) for fold in (0, 1)]
            shown = {r for r in read
                     if datetime.datetime.fromtimestamp(r, zone).replace(tzinfo=None) == local}
            print(name, *local.timetuple()[:6], min(shown or read), max(shown or read), len(shown))
