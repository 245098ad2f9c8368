# SPDX-License-Identifier: Apache-2.0
"""How long mcid takes to answer a pause: pause.py SOCKET COUNT prints p50 and p99 in ms."""
import json
import socket
import sys
import time

# Time for the source to be connected again and to have something that was not read.
BETWEEN = 0.12


def call(connection, method, parameters):
    """Sends one varlink call; the status in the answer and the milliseconds it took."""
    message = {"method": f"io.mci.Control.{method}", "parameters": parameters}
    start = time.monotonic()
    connection.sendall(json.dumps(message).encode() + b"\0")
    answer = b""
    while not answer.endswith(b"\0"):
        chunk = connection.recv(65536)
        if not chunk:
            sys.exit(f"mcid ended the connection after {method}")
        answer += chunk
    took = (time.monotonic() - start) * 1000
    reply = json.loads(answer[:-1])
    if "error" in reply:
        sys.exit(f"{method}: {reply}")
    return reply["parameters"]["status"]["state"], took


def main(path, count):
    times = []
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
        for _ in range(count):
            state, took = call(connection, "Pause", {"seconds": 60})
            assert state == "paused", state
            times.append(took)
            state, _ = call(connection, "Resume", {})
            assert state == "recording", state
            time.sleep(BETWEEN)
    times.sort()
    print(f"{times[count // 2]:.2f} {times[min(count - 1, count * 99 // 100)]:.2f}")


main(sys.argv[1], int(sys.argv[2]))
