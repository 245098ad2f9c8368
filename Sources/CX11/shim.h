// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <X11/XKBlib.h>
#include <X11/Xlib.h>
#include <X11/Xutil.h>
#include <X11/extensions/XI2proto.h>
#include <X11/extensions/XInput.h>
#include <X11/extensions/XInput2.h>

// The resource id mask: these bits of an id number a client's resources, the others identify the
// client. The server sends it at connection set-up, and Xlib keeps it in a field without a public
// name.
static inline unsigned long mci_resource_mask(Display *display)
{
    return ((_XPrivDisplay)display)->private4;
}

// Xlib's hook for extensions: converts an event of the wire to an XEvent in the queue. It is
// declared here because Xlibint.h declares too much to be imported.
extern Bool (*XESetWireToEventCookie(
    Display *, int, Bool (*)(Display *, XGenericEventCookie *, xEvent *)
))(Display *, XGenericEventCookie *, xEvent *);
extern unsigned long _XSetLastRequestRead(Display *, xGenericReply *);

// An XInput event stored within an XEvent: libXi's own conversion leaves copies in freed memory.
typedef struct {
    XGenericEventCookie any;  // its type is mci_input_type; Xlib writes the cookie number into it
    // For raw keys and buttons only:
    int deviceid, sourceid, detail, flags;
    unsigned time;
    // For XI_HierarchyChanged only; bit n is set if device n came, went, moved or was switched.
    unsigned char changed[32];
} mci_input_event;

// No event of the server has this type number.
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

// Call this after the first call of libXi, which installs its own conversion.
static inline void mci_read_input_events(Display *display, int opcode)
{
    XESetWireToEventCookie(display, opcode, mci_take_input_event);
}
