# SPDX-License-Identifier: Apache-2.0
"""The report in real browsers, headless: what Chromium and Firefox ask the network for, what they say on
their console, what axe-core finds in light and in dark, and pictures of it to look at.

report.py PAGE FOLDER: PAGE as `MCI_REPORT=PAGE swift test --filter PageTests` writes it."""
import asyncio
import base64
import glob
import http.server
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading

root = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(root / ".build-python/websockets")]
import websockets  # noqa: E402

page, folder = pathlib.Path(sys.argv[1]).read_bytes(), pathlib.Path(sys.argv[2])
folder.mkdir(parents=True, exist_ok=True)
AXE = pathlib.Path(glob.glob(str(root / ".build-python/axe-selenium-python/*/node_modules/axe-core/axe.min.js"))[0])
RUN = """axe.run(document).then(r => JSON.stringify({
  bad: r.violations.map(v => [v.id, v.nodes.length, v.nodes[0].html.slice(0, 120)]), good: r.passes.length}))"""
requests, failures = [], []


class Server(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        requests.append(self.path)
        self.send_response(200 if self.path == "/report" else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        if self.path == "/report":
            self.wfile.write(page)

    def log_message(self, *arguments):
        pass


class Link:
    """Calls with numbers over a web socket, as both browsers' protocols have them."""

    def __init__(self, socket):
        self.socket, self.number, self.events = socket, 0, []

    async def call(self, method, **parameters):
        self.number += 1
        session = {"sessionId": self.session} if getattr(self, "session", None) else {}
        await self.socket.send(json.dumps({"id": self.number, "method": method, "params": parameters} | session))
        while True:
            answer = json.loads(await self.socket.recv())
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer}")
                return answer["result"]
            self.events.append(answer)


async def socket(command, marker):
    program = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE, stdout=subprocess.DEVNULL)
    while line := (await program.stderr.readline()).decode(errors="replace"):
        if marker in line:
            return program, line.split(marker)[1].strip()
    raise RuntimeError(f"{command[0]} did not start")


def judge(browser, look, answer, seen, console):
    found = json.loads(answer)
    print(f"{browser} {look}: requests {seen}, console {len(console)}, axe: {len(found['bad'])} violations, "
          f"{found['good']} rules passed")
    for bad in found["bad"]:
        print("  ", bad)
    if seen != ["/report"] or console or found["bad"]:
        failures.append((browser, look, seen, console[:3]))


async def chromium(address, home):
    program, where = await socket(
        ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--user-data-dir={home}/c",
         "--remote-debugging-port=0", "about:blank"], "DevTools listening on ")
    async with websockets.connect(where, max_size=None) as connection:
        link = Link(connection)
        target = (await link.call("Target.createTarget", url="about:blank"))["targetId"]
        link.session = (await link.call("Target.attachToTarget", targetId=target, flatten=True))["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            await link.call(f"{domain}.enable")
        for look in ("light", "dark"):
            requests.clear()
            link.events.clear()
            await link.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": look}])
            await link.call("Emulation.setDeviceMetricsOverride", width=1100, height=1600, deviceScaleFactor=1, mobile=False)
            await link.call("Page.navigate", url=address)
            await asyncio.sleep(1.5)
            await link.call("Runtime.evaluate", expression="document.querySelectorAll('details').forEach(d => d.open = true)")
            seen = list(requests)
            console = [e for e in link.events if e.get("method") in ("Runtime.consoleAPICalled", "Log.entryAdded", "Runtime.exceptionThrown")]
            await link.call("Runtime.evaluate", expression=AXE.read_text())
            answer = await link.call("Runtime.evaluate", expression=RUN, awaitPromise=True)
            judge("chromium", look, answer["result"]["value"], seen, console)
            picture = await link.call("Page.captureScreenshot", captureBeyondViewport=True)
            (folder / f"chromium-{look}.png").write_bytes(base64.b64decode(picture["data"]))
        await link.call("Emulation.setEmulatedMedia", media="", features=[])
        printed = await link.call("Page.printToPDF", printBackground=True)
        (folder / "print.pdf").write_bytes(base64.b64decode(printed["data"]))
    program.terminate()
    await program.wait()


async def firefox(address, home):
    os.makedirs(f"{home}/f", exist_ok=True)
    program, where = await socket(
        ["firefox-esr", "--headless", "--no-remote", "--profile", f"{home}/f", "--remote-debugging-port=0"],
        "WebDriver BiDi listening on ")
    async with websockets.connect(f"{where}/session", max_size=None) as connection:
        link = Link(connection)
        await link.call("session.new", capabilities={})
        await link.call("session.subscribe", events=["log.entryAdded", "network.beforeRequestSent"])
        tree = (await link.call("browsingContext.getTree"))["contexts"][0]["context"]
        requests.clear()
        await link.call("browsingContext.navigate", context=tree, url=address, wait="complete")
        await asyncio.sleep(1.5)
        seen = list(requests)
        console = [e for e in link.events if e.get("method") == "log.entryAdded"]

        async def evaluate(text):
            answer = await link.call("script.evaluate", expression=text, target={"context": tree}, awaitPromise=True)
            return answer["result"].get("value")

        await evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        await evaluate(AXE.read_text())
        judge("firefox", "light", await evaluate(RUN), seen, console)
        picture = await link.call("browsingContext.captureScreenshot", context=tree, origin="document")
        (folder / "firefox.png").write_bytes(base64.b64decode(picture["data"]))
    program.terminate()
    await program.wait()


async def main():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_address[1]}/report"
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        await chromium(address, home)
        await firefox(address, home)


asyncio.run(asyncio.wait_for(main(), 180))
for failure in failures:
    print("FAILED", *failure)
sys.exit(1 if failures else 0)
