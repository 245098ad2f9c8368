// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <X11/XKBlib.h>
#include <X11/Xlib.h>
#include <X11/Xutil.h>
#include <X11/extensions/XI2proto.h>
#include <X11/extensions/XInput.h>
#include <X11/extensions/XInput2.h>
#include <X11/extensions/shape.h>

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

// Xlib's hook for extensions (Xlibint.h, which shows too much to be imported): reads an event of the
// wire into the XEvent that waits in the queue.
extern Bool (*XESetWireToEventCookie(
    Display *, int, Bool (*)(Display *, XGenericEventCookie *, xEvent *)
))(Display *, XGenericEventCookie *, xEvent *);
extern unsigned long _XSetLastRequestRead(Display *, xGenericReply *);

// An event of XInput, within an XEvent: libXi's own way copies each event twice into new memory, and
// costs a third of all instructions.
typedef struct {
    XGenericEventCookie any;  // its type is mci_input_type; Xlib writes a number into it
    // Of raw events only:
    int deviceid, sourceid, detail, flags;
    unsigned time;
    unsigned char present;  // bit n: axis n has a value
    double values[2];       // what the server made of axes 0 and 1
    double counts[8];       // as the device counts; of axes past the first two where present
} mci_input_event;

// No event of the server has this type.
enum { mci_input_type = LASTEvent };

static inline double mci_number(FP3232 number)
{
    return number.integral + number.frac * 0x1p-32;
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
    if (raw->evtype < XI_RawKeyPress || raw->evtype > XI_RawTouchEnd
        || (raw->evtype > XI_RawMotion && raw->evtype < XI_RawTouchBegin)) return True;
    event->deviceid = raw->deviceid, event->sourceid = raw->sourceid;
    event->detail = (int)raw->detail, event->flags = (int)raw->flags, event->time = raw->time;
    event->present = 0;
    event->counts[0] = event->counts[1] = event->values[0] = event->values[1] = 0;
    // A mask of all axes, a value for each bit of it, and as many counts.
    const CARD32 *mask = (const CARD32 *)(raw + 1);
    const FP3232 *value = (const FP3232 *)(mask + raw->valuators_len);
    unsigned all = 0, taken = 0;
    for (unsigned word = 0; word < raw->valuators_len; word++)
        for (CARD32 left = mask[word]; left != 0; left &= left - 1) all++;
    if (all == 0 || raw->length < raw->valuators_len + 4 * all) return True;
    event->present = mask[0] & 0xFF;
    for (unsigned left = event->present; left != 0; left &= left - 1) {
        int axis = __builtin_ctz(left);
        if (axis < 2) event->values[axis] = mci_number(value[taken]);
        event->counts[axis] = mci_number(value[all + taken++]);
    }
    return True;
}

// After the first call of libXi, which sets its own.
static inline void mci_read_input_events(Display *display, int opcode)
{
    XESetWireToEventCookie(display, opcode, mci_take_input_event);
}
