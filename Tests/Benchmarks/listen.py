# SPDX-License-Identifier: Apache-2.0
# A recorder as the popular ones are made: pynput (XRecord underneath) for both devices, one JSON line
# for each event. On SIGTERM it prints how many it wrote.
import json
import signal
import sys
import time

from pynput import keyboard, mouse

# Before the listeners' threads, which inherit it.
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
output = open(sys.argv[1], "w")
count = 0


def write(**event):
    global count
    event["time_stamp"] = time.perf_counter()
    output.write(json.dumps(event) + "\n")
    count += 1


listeners = [
    mouse.Listener(
        on_move=lambda x, y: write(action="move", x=x, y=y),
        on_click=lambda x, y, button, pressed: write(
            action="click", x=x, y=y, button=button.name, pressed=pressed
        ),
        on_scroll=lambda x, y, dx, dy: write(action="scroll", x=x, y=y, dx=dx, dy=dy),
    ),
    keyboard.Listener(
        on_press=lambda key: write(action="press", name=str(key)),
        on_release=lambda key: write(action="release", name=str(key)),
    ),
]
for listener in listeners:
    listener.start()
signal.sigwait([signal.SIGTERM])
print(count, flush=True)
output.close()
