// SPDX-License-Identifier: Apache-2.0

import Calendar
import Events

/// Where input came from, and where clicks went.
extension Page {
    var clickSection: String {
        let maps = facts.clickMaps.filter { $0.clicks > 0 }
        guard !maps.isEmpty else { return "" }
        let note = """
            <p>Clicks in each part of a monitor; parts with fewer than \(RecordingFacts.ClickMap.fewest) \
            clicks are left blank. Clicks in exempt windows are not stored, so blank areas can show \
            where those windows were.</p>

            """
        return section("Clicks", note + maps.map(clickMap).joined())
    }

    private func clickMap(_ map: RecordingFacts.ClickMap) -> String {
        let unit = max(8, 880 / max(map.columns, 1))
        let monitor = map.monitor
        let name = "\(monitor.width) × \(monitor.height) at \(monitor.x), \(monitor.y)"
        let most = map.cells.max() ?? 0
        var picture = Picture(
            map.columns * unit + 2,
            map.rows * unit + 2,
            "Clicks on the monitor \(name): \(map.clicks), at most \(most) in one part"
        )
        picture.add(
            "<path class=\"f\" d=\"M1 1h\(map.columns * unit)v\(map.rows * unit)h-\(map.columns * unit)z\"/>"
        )
        var paths = ""
        var rows: [(count: Int, cells: [String])] = []
        for (index, count) in map.cells.enumerated()
        where count >= RecordingFacts.ClickMap.fewest {
            let (column, row) = (index % map.columns, index / map.columns)
            let edge = max(3, Int((Double(count) / Double(most)).squareRoot() * Double(unit - 2)))
            let inset = (unit - edge) / 2
            paths +=
                "M\(1 + column * unit + inset) \(1 + row * unit + inset)h\(edge)v\(edge)h-\(edge)z"
            let (x, y) = (Int(monitor.x) + column * map.cell, Int(monitor.y) + row * map.cell)
            let box =
                "x BETWEEN \(x) AND \(x + map.cell - 1) AND y BETWEEN \(y) AND \(y + map.cell - 1)"
            rows.append(
                (
                    count,
                    [
                        "\(x), \(y) to \(x + map.cell - 1), \(y + map.cell - 1)", "\(count)",
                        HTMLText.command(
                            "mcictl query \"SELECT local, app FROM events WHERE type = 'button' AND state = 'down' AND \(box)\(around.events)\""
                        ),
                    ]
                )
            )
        }
        picture.add("<path class=\"r\" d=\"\(paths)\"/>")
        let hidden = map.hidden
        let rest =
            hidden > 0 ? " \(TimeText.count(hidden, "click is", "clicks are")) not shown." : ""
        let shown = rows.sorted { $0.count > $1.count }.prefix(25).map(\.cells)
        let table = HTMLText.table(
            "The parts with the most clicks, in pixels of the desktop",
            ["Part", "Clicks", "Show"],
            shown
        )
        return """
            <h3>Monitor \(name)</h3>
            <p>\(TimeText.count(map.clicks, "click", "clicks")).\(rest)</p>
            \(shown.isEmpty ? "" : picture.html + HTMLText.details("Table: clicks on \(name)", table))
            """
    }

    var deviceSection: String {
        guard !facts.devices.isEmpty else { return "" }
        let rows = facts.devices.map { device in
            [
                device.device.map { HTMLText.name($0.name) } ?? "unknown device",
                device.device?.kind.name ?? "–",
                device.device.map { $0.isInjected ? "programs (XTEST)" : "a person" } ?? "unknown",
                "\(device.events)",
                "\(TimeText.full(device.first)) to \(TimeText.full(device.last))",
                HTMLText.command(
                    "mcictl query \"SELECT local, type FROM events WHERE device = \(device.id)\(around.events)\""
                ),
            ]
        }
        return section(
            "Devices",
            HTMLText.table(
                "Where the input came from",
                ["Device", "Kind", "Source", "Events", "Used", "Show"],
                rows
            )
        )
    }
}
