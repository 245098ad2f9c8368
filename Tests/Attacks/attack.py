#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Whoever has the person's key and many texts: what do stored files tell of what was typed?

    attack.py BUILD           with the corpus of `.ci/packages attack`: some ten minutes
    attack.py BUILD --short   with a text of its own: what the tests run; --json prints the figures

BUILD holds mcictl and mci-attack-typist, by which simulated typists (pace.py) are recorded: gate, batches,
seals and ring are the daemon's. The attacks read what mcictl reads out of the ring, and know all else:
the texts, the pace, when each text begins. Steps other than the one that is stored are made from the exact
times by the same rule.
"""
import argparse, bisect, collections, csv, io, json, math, os, pathlib, random, subprocess, sys, tempfile

import corpus, pace

HERE = pathlib.Path(__file__).resolve().parent
WALL, STEP, PATIENCE = 1_800_000_000_000, 5000, 2000
DETAILS = ["classes", "shortcuts", "activity", "full"]


def record(build, detail, plan, mib=4):
    """What is stored of a plan: a list of rows as mcictl reads them, times in ms of the plan's clock."""
    with tempfile.TemporaryDirectory(prefix="mci-attack-") as home:
        pathlib.Path(home, "run").mkdir()
        subprocess.run([build / "mci-attack-typist", home, detail, str(mib)], check=True, text=True,
                       input="\n".join(plan) + "\n", stdout=subprocess.DEVNULL)
        sql = "SELECT ms, type, state, class, keysym, button, seconds FROM events ORDER BY batch, rowid"
        out = subprocess.run([build / "mcictl", "query", "--time", "30m", "--memory", "4G", "--format", "csv", sql],
                             check=True, capture_output=True, text=True,
                             env=os.environ | {"HOME": home, "XDG_RUNTIME_DIR": home + "/run", "MCI_POLICY": ""})
    rows = list(csv.DictReader(io.StringIO(out.stdout)))
    for row in rows: row["ms"] = int(row["ms"]) - WALL
    return rows


def split(rows, starts):
    """The rows of each scene; a run belongs to the scene in whose step it begins."""
    scenes = [[] for _ in starts]
    for row in rows:
        place = bisect.bisect_right(starts, row["ms"] + STEP) - 1
        if place >= 0: scenes[place].append(row)
    return scenes


def downs(rows): return [row for row in rows if row["type"] == "key" and row["state"] == "down"]
def seconds(rows): return sum(int(row["seconds"]) for row in rows if row["type"] == "typing")


def interval(hits, count):
    """The 95 % interval of a share (Wilson)."""
    if not count: return 0, 1
    z, share = 1.96, hits / count
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return max(0, middle - half), min(1, middle + half)


def information(pairs, random_):
    """Bits that the second tells of the first, less what chance would give."""
    def bits(pairs):
        both, left, right, n = collections.Counter(pairs), collections.Counter(), collections.Counter(), len(pairs)
        for (a, b), count in both.items(): left[a] += count; right[b] += count
        return sum(c / n * math.log2(c * n / (left[a] * right[b])) for (a, b), c in both.items())
    shuffled = []
    for _ in range(5):
        others = [b for _, b in pairs]
        random_.shuffle(others)
        shuffled.append(bits(list(zip((a for a, _ in pairs), others))))
    return max(0, bits(pairs) - sum(shuffled) / len(shuffled))


class Attacks:
    def __init__(self, build, paragraphs, short):
        self.build, self.short, self.random = build, short, random.Random(17)
        self.paragraphs = paragraphs
        self.lines, self.figures = [], {}

    def tell(self, attack, detail, words, value=None):
        self.lines.append((attack, detail, words))
        if value is not None: self.figures[f"{attack} {detail}"] = value
        print(f"{attack:34}{detail:12}{words}", flush=True)

    # (a) Which passage of all was it?

    def known_text(self):
        for count in (5, 8, 12):
            sources = [p for p in self.paragraphs if p.count(" ") > count + 1]
            passages = []
            for paragraph in self.random.sample(sources, min(len(sources), 60 if self.short else 1000)):
                words = paragraph.split(" ")
                at = self.random.randrange(len(words) - count)
                passages.append(" ".join(words[at:at + count]))
            typist = pace.Typist("a")
            plan, starts, time = [], [], 200_000
            for passage in passages:
                starts.append(time)
                times = typist.times(passage, time + 5000 + self.random.randrange(5000), pauses=False)
                plan += pace.lines(passage, times, corpus.key_class)
                time = (times[-1] // STEP + 5) * STEP
            where = f"(a) {count} words of {len(passages):,}"
            for detail in DETAILS:
                scenes = split(record(self.build, detail, plan, 32), starts)
                if detail == "full":
                    read = sum("".join(chr(corpus_name(r["keysym"])) for r in downs(s)) == p.lower()
                               for s, p in zip(scenes, passages))
                    self.tell(where, detail, f"{100 * read / len(passages):.1f} % read", read / len(passages))
                elif detail == "classes":
                    letters = {"letter": "l", "digit": "d", "punctuation": "p", "space": "s"}
                    wanted = ["".join(letters[r["class"]] for r in downs(s)) for s in scenes]
                    found = self.windows(count, set(wanted))
                    hits = sum(1 / found[w] for w in wanted if w in found)
                    low, high = interval(hits, len(passages))
                    self.tell(where, detail, f"{100 * hits / len(passages):.1f} % identified "
                              f"({100 * low:.0f}–{100 * high:.0f})", hits / len(passages))
                else: self.equally_long(where, detail, scenes, passages)

    def windows(self, count, wanted):
        """How many texts of the corpus have each of some patterns; the same words elsewhere are the same text."""
        found = collections.defaultdict(set)
        for paragraph in self.paragraphs:
            classes, ends = corpus.pattern(paragraph), [-1]
            ends += [i for i, c in enumerate(paragraph) if c == " "] + [len(paragraph)]
            for at in range(len(ends) - count):
                window = classes[ends[at] + 1:ends[at + count]]
                if window in wanted: found[window].add(paragraph[ends[at] + 1:ends[at + count]].lower())
        return {window: len(texts) for window, texts in found.items()}

    def equally_long(self, where, detail, scenes, passages):
        groups = collections.defaultdict(list)
        for index, scene in enumerate(scenes): groups[seconds(scene)].append(index)
        hits = chance = 0
        for stored, group in groups.items():
            # All that is left is how long it took: the passage that most likely takes so long.
            likely = min(group, key=lambda i: abs(len(passages[i]) * pace.MEAN + STEP / 2000 - stored))
            hits += likely in group
            chance += 1
        count = len(passages)
        low, high = interval(hits, count)
        self.tell(where, detail, f"{100 * hits / count:.1f} % identified ({100 * low:.1f}–{100 * high:.1f}), chance among "
                  f"equally long ones {100 * chance / count:.1f} %", (low, hits / count, high, chance / count))

    # (b) What of a password?

    def passwords(self):
        signs = "abcdefghijklmnopqrstuvwxyz0123456789.,;!?-"
        typist, plan, starts, truths, time = pace.Typist("b"), [], [], [], 200_000
        for index in range(80 if self.short else 4000):
            length = 6 + index % 15
            text = "".join(self.random.choice(signs) for _ in range(length))
            click = time + 5000 + self.random.randrange(5000)
            times = typist.times(text, click + self.random.randrange(400, 1200), pauses=False)
            enter = times[-1] + self.random.randrange(150, 500)
            plan += [f"{click} b 1 1", f"{click + 80} b 1 0"] + pace.lines(text, times, corpus.key_class)
            plan += [f"{enter} n 65293 1", f"{enter + 80} n 65293 0"]
            starts.append(time)
            truths.append((length, text, click, times, enter))
            time = (enter // STEP + 5) * STEP
        plan.sort(key=lambda line: int(line.split(" ", 1)[0]))

        def seen(click, end, enter): return round((end - click) / 500), min(3, (enter - end) // 1000)
        for detail in DETAILS:
            scenes = split(record(self.build, detail, plan, 32), starts)
            told, exact = [], 0
            for scene, (length, text, click, _, _) in zip(scenes, truths):
                runs = [r for r in scene if r["type"] == "typing"]
                keys = downs(scene)
                if runs:
                    end = max(r["ms"] + 1000 * int(r["seconds"]) for r in runs)
                    first = next((r["ms"] for r in scene if r["type"] == "button"), 0)
                    told.append((length, text, seen(first, end, keys[-1]["ms"] if keys else end)))
                else:
                    shape = "".join(r["class"][0] for r in keys[:-1])
                    exact += shape == corpus.pattern(text)
                    told.append((length, text, len(shape)))
            bits = information([(length, what) for length, _, what in told], self.random)
            digits = information([((sum(map(str.isdigit, text)) * 4) // len(text), what)
                                  for _, text, what in told], self.random)
            if exact: self.tell("(b) password", detail, f"length {bits:.2f} bits, pattern read in "
                                f"{100 * exact / len(told):.0f} %", (bits, exact / len(told)))
            else: self.tell("(b) password", detail, f"length {bits:.2f} bits, pattern {digits:.2f} bits", (bits, digits))
        for step in (1000, 5000, 15000):
            pairs = []
            for length, _, click, times, enter in truths:
                end = (times[-1] // step + 1) * step
                pairs.append((length, seen(click, end, end if enter < end + PATIENCE else enter)))
            self.tell("(b) password", f"steps {step // 1000} s", f"length {information(pairs, self.random):.2f} bits")

    # (c) Who typed?

    def who(self):
        typists = [pace.Typist(f"c{index}") for index in range(6 if self.short else 20)]
        sessions = 6 if self.short else 40
        plan, starts, owners, time = [], [], [], 200_000
        text = " ".join(self.random.sample(self.paragraphs, min(len(self.paragraphs), 3000)))
        for index in range(len(typists) * sessions):
            typist = typists[index % len(typists)]
            length = round(40 * 10 ** self.random.random())
            at = self.random.randrange(max(1, len(text) - length))
            times = typist.times(text[at:at + length], time + 5000 + self.random.randrange(5000))
            plan += pace.lines(text[at:at + length], times, corpus.key_class)
            chord = times[-1] + 12_000
            for _ in range(5):
                hold = max(20, round(typist.random.gauss(70 + 4 * (index % len(typists)), 12)))
                plan += [f"{chord} n 65293 1", f"{chord + hold} n 65293 0"]
                chord += 900
            starts.append(time)
            owners.append(index % len(typists))
            time = (chord // STEP + 5) * STEP
        for detail in DETAILS:
            scenes = split(record(self.build, detail, plan, 64), starts)
            for name, features in (("typing", self.rhythm), ("named keys", self.holds)):
                rows = [features(scene, detail) for scene in scenes]
                hits, count = self.recognise(rows, owners, len(typists))
                low, high = interval(hits, count)
                self.tell(f"(c) who, by {name}", detail, f"{100 * hits / count:.1f} % ({100 * low:.1f}–{100 * high:.1f}), "
                          f"chance {100 / len(typists):.1f} %", (low, hits / count, high, 1 / len(typists)))

    @staticmethod
    def rhythm(scene, detail):
        if detail in ("shortcuts", "activity"): return {"seconds": float(seconds(scene))}
        result, before = collections.defaultdict(list), None
        for row in downs(scene):
            if row["keysym"] == "Return": break
            name = row["keysym"] if detail == "full" else row["class"]
            if before: result[f"{before[0]} {name}"].append(math.log(max(1, row["ms"] - before[1])))
            before = (name, row["ms"])
        return {key: sum(values) / len(values) for key, values in result.items()}

    @staticmethod
    def holds(scene, detail):
        times, result = None, []
        for row in scene:
            if row["keysym"] != "Return": continue
            if row["state"] == "down": times = row["ms"]
            elif times is not None: result.append(row["ms"] - times)
        return {"hold": sum(result) / len(result)} if result else {}

    @staticmethod
    def recognise(rows, owners, count):
        """Nearest mean of the first half of somebody's sessions, for each of the second half."""
        half = len(rows) // 2
        sums = [collections.defaultdict(lambda: [0, 0.0]) for _ in range(count)]
        spread = collections.defaultdict(list)
        for row, owner in zip(rows[:half], owners):
            for key, value in row.items():
                sums[owner][key][0] += 1
                sums[owner][key][1] += value
                spread[key].append(value)
        scale = {}
        for key, values in spread.items():
            mean = sum(values) / len(values)
            scale[key] = math.sqrt(sum((v - mean) ** 2 for v in values) / len(values)) or 1
        hits = 0
        for row, owner in zip(rows[half:], owners[half:]):
            def distance(who):
                parts = [((row[k] - sums[who][k][1] / sums[who][k][0]) / scale[k]) ** 2
                         for k in row if sums[who][k][0]]
                return sum(parts) / len(parts) if parts else math.inf
            best = min(range(count), key=distance)
            hits += best == owner and distance(best) < math.inf
        return hits, len(rows) - half

    # (d) Which document?

    def documents(self):
        count, size = (20, 6) if self.short else (1000, 20)
        sources = [p[:400] for p in self.paragraphs if 12 <= p.count(" ") <= 60]
        texts = [[self.random.choice(sources) for _ in range(size)] for _ in range(count)]
        typist, plan, starts, exact, time = pace.Typist("d"), [], [], [], 200_000
        for document in texts:
            starts.append(time)
            now, spans = time + 5000 + self.random.randrange(5000), []
            for paragraph in document:
                times = typist.times(paragraph, now)
                plan += pace.lines(paragraph, times, corpus.key_class)
                enter = times[-1] + self.random.randrange(200, 900)
                plan += [f"{enter} n 65293 1", f"{enter + 80} n 65293 0"]
                spans.append((times[0], times[-1]))
                now = enter + self.random.randrange(300, 1500)
            exact.append(spans)
            time = (now // STEP + 8) * STEP

        def expected(step): return [[len(p) * pace.MEAN * 1.1 + step for p in d] for d in texts]
        for detail in ("shortcuts", "activity"):
            scenes = split(record(self.build, detail, plan, 128), starts)
            stored = []
            for scene in scenes:
                parts = [0]
                for row in scene:
                    if row["type"] == "typing": parts[-1] += int(row["seconds"])
                    elif row["keysym"] == "Return" and row["state"] == "down": parts.append(0)
                stored.append([p for p in parts if p])
            self.nearest("(d) document", detail, stored, expected(STEP // 1000))
        for step in (1, 5, 15):
            def whole(spans): return [(b // 1000 // step + 1) * step - a // 1000 // step * step for a, b in spans]
            self.nearest("(d) document, Return named", f"steps {step} s", [whole(s) for s in exact], expected(step))
            self.nearest("(d) document, Return as text", f"steps {step} s",
                         [whole([(s[0][0], s[-1][1])]) for s in exact], expected(step))

    def nearest(self, where, detail, stored, expected):
        hits = 0
        for index, parts in enumerate(stored):
            def distance(texts):
                if len(parts) == len(texts): return sum((a - b) ** 2 for a, b in zip(parts, texts))
                return (sum(parts) - sum(texts) - len(texts)) ** 2 + 1e6 * (len(parts) > 1)
            hits += min(range(len(expected)), key=lambda i: distance(expected[i])) == index
        low, high = interval(hits, len(stored))
        self.tell(where, detail, f"{100 * hits / len(stored):.1f} % recognised ({100 * low:.1f}–{100 * high:.1f}), chance "
                  f"{100 / len(stored):.1f} %", hits / len(stored))


def corpus_name(keysym):
    """The character of a keysym's name; those of the corpus are ASCII."""
    names = {"space": 32, "exclam": 33, "quotedbl": 34, "numbersign": 35, "dollar": 36, "percent": 37, "ampersand": 38,
             "apostrophe": 39, "parenleft": 40, "parenright": 41, "asterisk": 42, "plus": 43, "comma": 44, "minus": 45,
             "period": 46, "slash": 47, "colon": 58, "semicolon": 59, "less": 60, "equal": 61, "greater": 62,
             "question": 63, "at": 64, "bracketleft": 91, "backslash": 92, "bracketright": 93, "asciicircum": 94,
             "underscore": 95, "grave": 96, "braceleft": 123, "bar": 124, "braceright": 125, "asciitilde": 126}
    return names.get(keysym) or (ord(keysym) if len(keysym) == 1 else 0)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=lambda p: pathlib.Path(p).resolve())
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.short:
        paragraphs = [" ".join(p.split()) for p in (HERE / "text.txt").read_text().split("\n\n") if p.strip()]
    else:
        folder = corpus.ROOT / ".build/attack"
        paragraphs = list(corpus.paragraphs(corpus.unpacked(folder)))
    words = sum(p.count(" ") + 1 for p in paragraphs)
    with open(os.devnull, "w") if options.json else sys.stdout as out:
        sys.stdout, real = out, sys.stdout
        print(f"{words:,} words in {len(paragraphs):,} paragraphs; steps of {STEP // 1000} s are stored")
        attacks = Attacks(options.build, paragraphs, options.short)
        for attack in (attacks.known_text, attacks.passwords, attacks.who, attacks.documents): attack()
        sys.stdout = real
        if options.json: print(json.dumps(attacks.figures))


if __name__ == "__main__":
    main()
