// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <X11/XKBlib.h>
#include <X11/Xlib.h>
#include <X11/Xutil.h>
#include <X11/extensions/XInput.h>
#include <X11/extensions/XInput2.h>

// Which bits of an id tell a client's resources apart; the others tell the clients apart. The server
// says it when the connection is set up, and Xlib keeps it in a field without a name of its own.
static inline unsigned long mci_resource_mask(Display *display)
{
    return ((_XPrivDisplay)display)->private4;
}

// A monitor as libXrandr tells it (XRRMonitorInfo of RandR 1.5). The library is loaded where there
// is one, so that building and running need none: its header may be missing too.
typedef struct {
    Atom name;
    Bool primary, automatic;
    int noutput, x, y, width, height, mwidth, mheight;
    XID *outputs;
} mci_monitor;
