# SPDX-License-Identifier: Apache-2.0
"""A model of the times of keys, for the attacks: stated, not measured here.

From press to press a typist takes a log-normal time whose mean is 0.22 s, as the issue of typing runs
assumes; a spread of 0.35 (of the logarithm) and factors of each pair of letters of 0.2 are of the order
that studies of keystroke dynamics report (remembered, not looked up). A key is held for a tenth of a second.
Behind a sentence a typist stops for up to a second and a half, behind a word now and then for half a one.
"""
import math, random

MEAN, SPREAD, PAIRS = 0.22, 0.35, 0.2


class Typist:
    """Somebody with a rhythm: factors of each pair of letters, all of them together as fast as the mean."""

    def __init__(self, seed, mean=MEAN):
        self.random = random.Random(seed)
        self.mean = mean
        draw = random.Random(f"pairs {seed}")
        letters = "abcdefghijklmnopqrstuvwxyz "
        factors = {a + b: math.exp(draw.gauss(0, PAIRS)) for a in letters for b in letters}
        whole = sum(factors.values()) / len(factors)
        self.factors = {pair: factor / whole for pair, factor in factors.items()}

    def times(self, text, start, pauses=True):
        """Milliseconds of each key of a text."""
        time, before, times = float(start), "", []
        for character in text:
            if before:
                step = self.mean * self.factors.get((before + character).lower(), 1)
                time += 1000 * step * math.exp(self.random.gauss(-SPREAD ** 2 / 2, SPREAD))
                if pauses and before in ".!?" and character == " ": time += self.random.uniform(300, 1500)
                elif pauses and before == " " and self.random.random() < 0.1: time += self.random.uniform(100, 500)
            times.append(round(time))
            before = character
        return times


def lines(text, times, key_class):
    """The lines of a plan: each key is held for 90 ms, or less where the next one comes sooner."""
    result = []
    for index, (character, time) in enumerate(zip(text, times)):
        later = times[index + 1] if index + 1 < len(times) else time + 200
        result.append(f"{time} {key_class(character)} {ord(character.lower())} 1")
        result.append(f"{max(time, min(time + 90, later - 1))} {key_class(character)} {ord(character.lower())} 0")
    return result
