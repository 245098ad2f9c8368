// SPDX-License-Identifier: Apache-2.0
// The yardstick for mcid: the least that a program can do to read the same events in the same way.
// Two connections with the same selections, drained with the same pauses as DrainPacer; it only
// counts. On SIGTERM or SIGINT it prints how many raw events it read.
#include <X11/Xlib.h>
#include <X11/extensions/XInput2.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { shortest = 20, longest = 100 };

typedef struct {
    Display *display;
    int opcode;
} Connection;

static volatile sig_atomic_t stopped;

static void stop(int number) {
    (void)number;
    stopped = 1;
}

static long long now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static Connection open_connection(int minor, const int *types, int count) {
    Connection connection = {XOpenDisplay(NULL), 0};
    int major = 2, event, error;
    if (!connection.display
        || !XQueryExtension(connection.display, "XInputExtension", &connection.opcode, &event, &error)
        || XIQueryVersion(connection.display, &major, &minor) != Success) {
        fputs("reader: no X server with XInput 2\n", stderr);
        exit(1);
    }
    unsigned char bits[4] = {0};
    for (int i = 0; i < count; i++) XISetMask(bits, types[i]);
    XIEventMask mask = {XIAllMasterDevices, sizeof bits, bits};
    XISelectEvents(connection.display, DefaultRootWindow(connection.display), &mask, 1);
    XSync(connection.display, False);
    return connection;
}

/// Reads what has arrived, once; the number of raw events.
static long drain(Connection *connection) {
    long raw = 0;
    for (int left = XEventsQueued(connection->display, QueuedAfterReading); left > 0; left--) {
        XEvent event;
        XNextEvent(connection->display, &event);
        if (event.type != GenericEvent || event.xcookie.extension != connection->opcode) continue;
        if (!XGetEventData(connection->display, &event.xcookie)) continue;
        if (event.xcookie.evtype >= XI_RawKeyPress && event.xcookie.evtype <= XI_RawMotion) raw++;
        XFreeEventData(connection->display, &event.xcookie);
    }
    return raw;
}

int main(void) {
    const int keys[] = {XI_RawKeyPress, XI_RawKeyRelease};
    const int moves[] = {XI_RawButtonPress, XI_RawButtonRelease, XI_RawMotion};
    Connection keyboard = open_connection(0, keys, 2);
    Connection pointer = open_connection(2, moves, 3);
    struct sigaction action = {.sa_handler = stop};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);

    long total = 0;
    long long due = -1, interval = shortest;
    struct pollfd both[] = {
        {ConnectionNumber(keyboard.display), POLLIN, 0},
        {ConnectionNumber(pointer.display), POLLIN, 0},
    };
    while (!stopped) {
        // While a reading is due the descriptors are left alone.
        long long wait = due < 0 ? -1 : due - now_ms();
        int ready = wait > 0 || due < 0 ? poll(both, due < 0 ? 2 : 0, (int)wait) : 0;
        if (due < 0) {
            if (ready <= 0) continue;
            interval = shortest;
            due = now_ms() + interval;
        } else if (now_ms() >= due) {
            long count = drain(&keyboard) + drain(&pointer);
            total += count;
            due = count > 0 ? now_ms() + interval : -1;
            if (count > 0) interval = interval * 2 < longest ? interval * 2 : longest;
        }
    }
    printf("%ld\n", total + drain(&keyboard) + drain(&pointer));
    return 0;
}
