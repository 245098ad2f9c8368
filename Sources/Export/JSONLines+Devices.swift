// SPDX-License-Identifier: Apache-2.0

import Events

extension JSONLines {
    /// Appends the fields of a device, without its id.
    mutating func describe(_ device: Device) {
        text.append(",\"name\":")
        text.append(quoted: device.name)
        text.append(",\"kind\":\"\(device.kind.name)\",\"vendor\":\(device.vendor)")
        text.append(",\"product\":\(device.product),\"buttons\":\(device.buttons)")
        text.append(",\"master\":\(device.master),\"axes\":[")
        for (index, axis) in device.axes.enumerated() {
            text.append("\(index > 0 ? "," : ""){\"axis\":\(axis.number),\"label\":")
            text.append(quoted: axis.label)
            text.append(",\"mode\":\"\(axis.isAbsolute ? "absolute" : "relative")\"")
            if axis.range.lowerBound < axis.range.upperBound {
                let range = axis.range
                text.append(",\"min\":\(range.lowerBound),\"max\":\(range.upperBound)")
            }
            if axis.resolution != 0 { text.append(",\"resolution\":\(axis.resolution)") }
            text.append("}")
        }
        text.append("]")
        if device.isInjected { text.append(",\"injected\":true") }
        if !device.buttonMap.isEmpty { text.append(",\"buttonMap\":\(device.buttonMap)") }
    }

    /// Appends the rest of the line of a desktop, after its time.
    mutating func describe(_ screen: ScreenLayout) {
        text.append("\",\"type\":\"monitors\",\"width\":\(screen.width)")
        text.append(",\"height\":\(screen.height),\"monitors\":[")
        let monitors = screen.monitors.map { monitor in
            """
            {"x":\(monitor.x),"y":\(monitor.y),"width":\(monitor.width),"height":\(monitor.height),\
            "widthMM":\(monitor.widthMM),"heightMM":\(monitor.heightMM)}
            """
        }
        text.append(monitors.joined(separator: ",") + "]")
    }
}
