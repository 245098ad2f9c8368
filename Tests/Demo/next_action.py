# SPDX-License-Identifier: Apache-2.0
"""A small training job: which action follows which, counted over released events.

It reads JSON Lines from standard input, as `mci-read run` gives them, and writes a model as JSON into
the folder of the run. Python's standard library is all it needs.
"""
import collections
import json
import os
import sys


def action(event):
    """The word for an event that is an action; None for others."""
    kind = event.get("type")
    if kind == "key" and event["state"] == "down" and event["class"] != "modifier":
        words = [word for word in event["modifiers"] if word not in ("lock", "numlock")]
        return "+".join(words + [event.get("keysym", event["class"])])
    if kind == "button" and event["state"] == "down":
        return f"button {event['button']}"
    return {"typing": "typing", "scroll": "scroll"}.get(kind)


def main():
    follows = collections.defaultdict(collections.Counter)
    releases = events = 0
    last = None
    for line in sys.stdin:
        event = json.loads(line)
        if event["type"] == "release":
            releases, last = releases + 1, None
            continue
        events += 1
        if event["type"] in ("gap", "focus"):
            last = None
        word = action(event)
        if word and last:
            follows[last][word] += 1
        last = word or last
    model = {first: dict(nexts.most_common()) for first, nexts in sorted(follows.items())}
    with open(os.path.join(os.environ["MCI_OUT"], "model.json"), "w") as file:
        json.dump({"releases": releases, "events": events, "follows": model}, file, indent=1)
    print(f"trained on {events} events of {releases} releases: {len(model)} actions")
    for first, nexts in list(model.items())[:8]:
        print(f"  after {first}: {', '.join(f'{word} ({count})' for word, count in list(nexts.items())[:3])}")


main()
