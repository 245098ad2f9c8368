// SPDX-License-Identifier: Apache-2.0
// A hand on mouse and keyboard, through XTEST, in a focused window of its own.
//   hand RATE SECONDS      small random movements, evenly, RATE a second
//   hand flood COUNT       as many small movements, as fast as the server takes them
//   hand workday SECONDS   strokes and clicks of a 1 kHz mouse, notches, typing, and pauses
// Prints how many raw events it caused; a notch of the wheel is one press and one release.
#include <X11/Xlib.h>
#include <X11/Xutil.h>
#include <X11/extensions/XTest.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static Display *display;
static struct timespec next;
static long sent;
static uint64_t seed = 88172645463325252;

static double chance(void) {
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    return (seed >> 11) * 0x1p-53;
}

static double between(double low, double high) { return low + (high - low) * chance(); }

/// Sleeps until `seconds` after the last moment slept to, so that delays do not add up.
static void rest(double seconds) {
    next.tv_nsec += (long)(seconds * 1e9);
    next.tv_sec += next.tv_nsec / 1000000000;
    next.tv_nsec %= 1000000000;
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL) != 0) {}
}

static double now(void) { return next.tv_sec + next.tv_nsec * 1e-9; }

static void move(int dx, int dy) {
    if (dx == 0 && dy == 0) return;
    XTestFakeRelativeMotionEvent(display, dx, dy, CurrentTime);
    XFlush(display);
    sent++;
}

static void press(int button, double held) {
    XTestFakeButtonEvent(display, button, True, CurrentTime);
    XFlush(display);
    rest(held);
    XTestFakeButtonEvent(display, button, False, CurrentTime);
    XFlush(display);
    sent += 2;
}

static void type(int letters) {
    const char text[] = "the quick brown fox jumps over a lazy dog ";
    for (int i = 0; i < letters; i++) {
        char letter[] = {text[(int)between(0, sizeof text - 1)], 0};
        KeySym keysym = *letter == ' ' ? XK_space : XStringToKeysym(letter);
        KeyCode key = XKeysymToKeycode(display, keysym);
        XTestFakeKeyEvent(display, key, True, CurrentTime);
        XFlush(display);
        rest(between(0.06, 0.11));
        XTestFakeKeyEvent(display, key, False, CurrentTime);
        XFlush(display);
        rest(between(0.04, 0.13));
        sent += 2;
    }
}

/// A movement of least jerk, sampled every millisecond, with the tremor of a hand.
static void stroke(void) {
    double length = between(30, 900), angle = between(0, 2 * M_PI);
    double duration = 0.15 + 0.12 * log2(1 + length / 20), doneX = 0, doneY = 0;
    double bend = between(-0.1, 0.1) * length, tremor = between(0, 2 * M_PI);
    for (double at = 0; at < duration; at += 0.001) {
        double t = at / duration, s = t * t * t * (10 - 15 * t + 6 * t * t);
        double along = length * s, across = bend * sin(M_PI * s) + 0.4 * sin(60 * at + tremor);
        double x = along * cos(angle) - across * sin(angle) + between(-0.2, 0.2);
        double y = along * sin(angle) + across * cos(angle) + between(-0.2, 0.2);
        int dx = (int)lround(x - doneX), dy = (int)lround(y - doneY);
        move(dx, dy);
        doneX += dx, doneY += dy;
        rest(0.001);
    }
}

static void workday(double end) {
    while (now() < end) {
        stroke();
        rest(between(0.05, 0.8));
        if (chance() < 0.5) press(1, between(0.06, 0.12));
        if (chance() < 0.2) {
            int button = chance() < 0.7 ? 5 : 4;
            for (int left = (int)between(2, 9); left > 0; left--) {
                press(button, 0.001);
                rest(between(0.02, 0.08));
            }
        }
        if (chance() < 0.3) type((int)between(8, 40));
    }
}

static void steady(double rate, double end) {
    while (now() < end) {
        int dx = (int)floor(between(-4, 5)), dy = (int)floor(between(-4, 5));
        move(dx, dx == 0 && dy == 0 ? 1 : dy);
        rest(1 / rate);
    }
}

static void flood(long count) {
    for (; sent < count; sent++) {
        XTestFakeRelativeMotionEvent(display, (int)floor(between(-4, 5)), 1, CurrentTime);
        if (sent % 1000 == 0) XSync(display, False);
        // The server buffers what its clients have not read yet; this leaves them time.
        if (sent % 10000 == 0) clock_gettime(CLOCK_MONOTONIC, &next), rest(0.1);
    }
}

/// A window that has the focus: mcid leaves out input that belongs to no application.
static void take_focus(void) {
    Window window = XCreateSimpleWindow(display, DefaultRootWindow(display), 0, 0, 64, 64, 0, 0, 0);
    XClassHint hint = {"hand", "Hand"};
    XSetClassHint(display, window, &hint);
    XSelectInput(display, window, StructureNotifyMask);
    XMapWindow(display, window);
    XEvent event;
    do XNextEvent(display, &event);
    while (event.type != MapNotify);
    XSelectInput(display, window, 0);
    XSetInputFocus(display, window, RevertToPointerRoot, CurrentTime);
    XSync(display, False);
}

int main(int count, char **arguments) {
    double seconds = count == 3 ? atof(arguments[2]) : 0;
    int isWorkday = seconds > 0 && strcmp(arguments[1], "workday") == 0;
    int isFlood = seconds > 0 && strcmp(arguments[1], "flood") == 0;
    double rate = seconds > 0 ? atof(arguments[1]) : 0;
    if (!isWorkday && !isFlood && rate <= 0) {
        return fputs("usage: hand RATE|workday SECONDS, hand flood COUNT\n", stderr), 64;
    }
    display = XOpenDisplay(NULL);
    if (!display) return fputs("hand: no X server\n", stderr), 1;
    take_focus();
    clock_gettime(CLOCK_MONOTONIC, &next);
    rest(0.3);
    if (isFlood) flood((long)seconds);
    else if (isWorkday) workday(now() + seconds);
    else steady(rate, now() + seconds);
    XSync(display, False);
    rest(0.3);
    printf("%ld\n", sent);
    return 0;
}
