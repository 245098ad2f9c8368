#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every method that mcid describes, called by PyPI's varlink client: methods.py SOCKET MCICTL STEWARD_KEY

The client checks calls and answers against the description that mcid gives of itself. Exit code 1 when
an answer is not as expected, or when a method was never answered.
"""
import json
import re
import subprocess
import sys
import tempfile

import varlink

socket, program, key = sys.argv[1:]
answered = set()


class Caller:
    """A connection; keeps the names of the methods that answered without an error."""

    def __init__(self, client):
        self.connection = client.open("io.mci.Control")

    def __getattr__(self, name):
        def call(**parameters):
            answer = getattr(self.connection, name)(**parameters)
            if parameters.get("_more"):
                answer = next(answer)
            answered.add(name)
            return answer
        return call


def refused(call, **parameters):
    try:
        call(**parameters)
    except varlink.VarlinkError as error:
        return error.error() == "io.mci.Control.Refused" and error.parameters()["reason"]


def mcictl(*words):
    return subprocess.run([program, *words], capture_output=True, text=True, check=True).stdout


def decide(number):
    """What a steward signs, on the request of an exemption."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as request:
        request.write(mcictl("exempt", "export", str(number)))
        request.flush()
        return mcictl("steward", "decide", request.name, "--key", key, "--approve")


with varlink.Client(address=f"unix:{socket}") as client:
    mci = Caller(client)
    assert mci.GetStatus()["status"]["state"] == "recording"
    assert Caller(client).Monitor(_more=True)["status"]["schema"] == 1

    begun = mci.Demonstrate(name="varlink", goal="Call every method")["status"]["demonstration"]
    assert begun["name"] == "varlink" and not begun["only"]
    assert refused(mci.Demonstrate, name="two", goal="x") and refused(mci.EndDemonstration, outcome="?")
    assert mci.EndDemonstration(outcome="done")["status"].get("demonstration") is None

    assert mci.Pause(seconds=60)["status"]["state"] == "paused"
    assert mci.Pause()["wasPaused"]
    assert refused(mci.Pause, seconds=-1)
    assert mci.Resume()["status"]["state"] == "recording"
    assert mci.Forget(dryRun=True)["pending"] is False
    assert mci.Flush()["status"]["events"]["lost"] == 0
    assert mci.Reload()["status"]["keyDetail"] == "shortcuts"

    assert mci.Attend(closed=["locked"], leaseMs=5000)["status"]["reason"] == "session-locked"
    assert refused(mci.Attend, closed=["lost"], leaseMs=5000)
    assert mci.Attend(closed=[], leaseMs=5000, knows=["tray"])["status"]["session"]["isAttended"]
    assert mci.Leave()["status"]["session"]["isRequired"] is False

    one = mci.Exempt(scope={"app": "signal"}, seconds=3600, reason="mine")["exemption"]
    assert one["id"] == 1 and one["state"] == "requested", one
    assert mci.Exempt()["status"]["reason"] == "exempt"
    assert [e["id"] for e in mci.ListExemptions()["exemptions"]] == [1, 2]
    assert mci.Explain()["explanation"]["reason"] == "exempt"
    assert mci.AnswerExemption(id=2, answer="withdraw")["status"]["state"] == "recording"
    assert mci.DecideExemption(decision=decide(1))["exemption"]["state"] == "approved"
    assert refused(mci.Exempt, scope={"during": "never"})
    assert refused(mci.AnswerExemption, id=7, answer="withdraw")
    assert refused(mci.DecideExemption, decision="{}")

    for change in ({"add": {"title": "*salary*"}}, {"remove": "lockers"}, {"restore": "lockers"},
                   {"only": ["editor"]}, {"only": []}, {"drop": {"title": "*salary*"}}):
        assert mci.Exclude(**change)["status"]["state"] == "recording", change
    assert refused(mci.Exclude, remove="nothing")

    receipt = json.loads(mcictl("consent", "--show", "--json"))
    assert mci.Withdraw()["status"]["reason"] == "no-consent"
    assert refused(mci.Consent, receipt={**receipt, "noticeHash": "0" * 64})
    assert mci.Consent(receipt=receipt)["status"]["state"] == "recording"

    service = client.open("org.varlink.service")
    assert service.GetInfo()["product"] == "mcid"
    description = service.GetInterfaceDescription(interface="io.mci.Control")["description"]

described = set(re.findall(r"^method (\w+)", description, re.M))
print(f"{len(described)} methods described, {len(answered & described)} answered")
missing = described - answered
if missing:
    sys.exit(f"never answered: {', '.join(sorted(missing))}")
