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
