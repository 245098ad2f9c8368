// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <X11/XKBlib.h>
#include <X11/Xlib.h>
#include <X11/Xutil.h>
#include <X11/extensions/XI2proto.h>
#include <X11/extensions/XInput.h>
#include <X11/extensions/XInput2.h>

// Which bits of an id tell a client's resources apart; the others tell the clients apart. The server
// says it when the connection is set up, and Xlib keeps it in a field without a name of its own.
static inline unsigned long mci_resource_mask(Display *display)
{
    return ((_XPrivDisplay)display)->private4;
}

// Xlib's hook for extensions (Xlibint.h, which shows too much to be imported): reads an event of the
// wire into the XEvent that waits in the queue.
extern Bool (*XESetWireToEventCookie(
    Display *, int, Bool (*)(Display *, XGenericEventCookie *, xEvent *)
))(Display *, XGenericEventCookie *, xEvent *);
extern unsigned long _XSetLastRequestRead(Display *, xGenericReply *);

// An event of XInput, within an XEvent: libXi's own way leaves copies of each in freed memory.
typedef struct {
    XGenericEventCookie any;  // its type is mci_input_type; Xlib writes a number into it
    // Of raw keys and buttons only:
    int deviceid, sourceid, detail, flags;
    unsigned time;
    // Of a changed hierarchy only: bit n: the device n came, went, or was moved or switched.
    unsigned char changed[32];
} mci_input_event;

// No event of the server has this type.
enum { mci_input_type = LASTEvent };

static inline void mci_take_hierarchy(mci_input_event *event, const xXIHierarchyEvent *wire)
{
    const xXIHierarchyInfo *info = (const xXIHierarchyInfo *)(wire + 1);
    for (int i = 0; i < 32; i++) event->changed[i] = 0;
    for (int i = 0; i < wire->num_info && 3 * (i + 1) <= (int)wire->length; i++)
        if (info[i].flags && info[i].deviceid < 256)
            event->changed[info[i].deviceid / 8] |= 1 << info[i].deviceid % 8;
}

static inline Bool mci_take_input_event(Display *display, XGenericEventCookie *cookie, xEvent *wire)
{
    _Static_assert(sizeof(mci_input_event) <= sizeof(XEvent), "an XEvent has no room");
    const xXIRawEvent *raw = (const xXIRawEvent *)wire;
    mci_input_event *event = (mci_input_event *)cookie;
    event->any.type = mci_input_type;
    event->any.serial = _XSetLastRequestRead(display, (xGenericReply *)wire);
    event->any.send_event = raw->type >> 7;
    event->any.display = display;
    event->any.evtype = raw->evtype;
    if (raw->evtype == XI_HierarchyChanged)
        mci_take_hierarchy(event, (const xXIHierarchyEvent *)wire);
    if (raw->evtype < XI_RawKeyPress || raw->evtype > XI_RawButtonRelease) return True;
    event->deviceid = raw->deviceid, event->sourceid = raw->sourceid;
    event->detail = (int)raw->detail, event->flags = (int)raw->flags, event->time = raw->time;
    return True;
}

// After the first call of libXi, which sets its own.
static inline void mci_read_input_events(Display *display, int opcode)
{
    XESetWireToEventCookie(display, opcode, mci_take_input_event);
}
