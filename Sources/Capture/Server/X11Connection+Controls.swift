// SPDX-License-Identifier: Apache-2.0

import CX11
import Events

extension X11Connection {
    /// Begins to follow the XKB controls of keyboards.
    ///
    /// - Parameter devices: The keyboards, including masters.
    /// - Returns: The currently enabled controls, by device.
    func followControls(of devices: [UInt8]) -> [UInt8: UInt32] {
        var enabled: [UInt8: UInt32] = [:]
        for id in devices {
            let mask = UInt32(XkbControlsNotifyMask)
            unsafe XkbSelectEvents(display, UInt32(id), mask, mask)
            enabled[id] = controls(of: id)
        }
        return enabled
    }

    /// The enabled controls of a keyboard; nil if the server does not report them.
    private func controls(of id: UInt8) -> UInt32? {
        guard let keyboard = unsafe XkbAllocKeyboard() else { return nil }
        defer { unsafe XkbFreeKeyboard(keyboard, 0, 1) }
        unsafe keyboard.pointee.device_spec = UInt16(id)
        let wanted = UInt(XkbControlsEnabledMask)
        guard unsafe XkbGetControls(display, wanted, keyboard) == 0 else { return nil }
        return unsafe keyboard.pointee.ctrls?.pointee.enabled_ctrls
    }
}
