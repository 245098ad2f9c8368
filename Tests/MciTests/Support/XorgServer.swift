// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// A real Xorg on screens nobody sees, with devices that tests move (inputtestdrv(4)).
final class XorgServer: Desktop {
    /// The devices, by their name.
    private(set) var devices: [String: InputTestDevice] = [:]
    private let folder: TemporaryFolder

    /// Why no such server can be started here; nil where it can.
    static let refusal: Comment? = {
        do {
            let server = try XorgServer(["mouse": .mouse])
            try server.device("mouse").move(dx: 1, dy: 0)
            return nil
        } catch {
            return "Xorg with the dummy and inputtest drivers does not start here: \(error)"
        }
    }()

    /// Starts Xorg and takes hold of every device.
    ///
    /// - Parameters:
    ///   - kinds: the devices by their name; the server numbers them in the order of the names.
    ///   - wanted: the display; a free one without it.
    ///   - isWide: two monitors of 1280×1024 side by side instead of one.
    /// - Throws: where the server does not start.
    init(
        _ kinds: [String: InputTestDevice.Kind],
        display wanted: String? = nil,
        isWide: Bool = false
    ) throws {
        folder = try TemporaryFolder()
        let file = "\(folder.path)/xorg.conf"
        try Self.configuration(kinds, folder.path).write(
            toFile: file,
            atomically: false,
            encoding: .utf8
        )
        try super.init(
            server: "Xorg",
            [
                "-config", file, "-configdir", "/nonexistent", "-logfile", "\(folder.path)/log",
                "-novtswitch", "-sharevts", "-noreset", "-nolisten", "tcp", "-ac", "vt7",
            ],
            display: wanted
        )
        for (name, kind) in kinds {
            devices[name] = try InputTestDevice(kind, socket: "\(folder.path)/\(name)")
        }
        try randr("--output", "DUMMY0", "--mode", "1280x1024", "--pos", "0x0")
        if isWide {
            try randr("--addmode", "DUMMY1", "1280x1024")
            try randr("--output", "DUMMY1", "--mode", "1280x1024", "--right-of", "DUMMY0")
        }
    }

    /// A device by its name.
    func device(_ name: String) throws -> InputTestDevice {
        try #require(devices[name])
    }

    /// Switches a device off and on; what was held is released, and the driver is connected anew.
    func restart(_ name: String, wait: UInt32 = 0) throws {
        let kind = try device(name).kind
        for switched in ["--disable", "--enable"] {
            let words = [switched, name]
            let result = try Program.run("xinput", words, environment: ["DISPLAY": display])
            try #require(result.code == 0, "\(words): \(result.errors)")
            if switched == "--disable" { usleep(wait) }
        }
        devices[name] = try InputTestDevice(kind, socket: "\(folder.path)/\(name)")
    }

    /// Changes the monitors with xrandr.
    func randr(_ options: String...) throws {
        let result = try Program.run("xrandr", ["-d", display] + options)
        try #require(result.code == 0, "\(result.errors)")
    }

    /// The file xorg.conf(5); the log is quiet, for each event would be a line of it.
    private static func configuration(
        _ kinds: [String: InputTestDevice.Kind],
        _ folder: String
    ) -> String {
        let names = kinds.keys.sorted()
        let devices = names.map { name in
            """
            Section "InputDevice"
                Identifier "\(name)"
                Driver "inputtest"
                Option "SocketPath" "\(folder)/\(name)"
                Option "DeviceType" "\(kinds[name]?.rawValue ?? "")"
                Option "PointerButtonCount" "12"
                Option "PointerHasPressure" "\(kinds[name] == .tablet)"
                Option "TouchCount" "5"
            EndSection
            """
        }
        return """
            Section "ServerFlags"
                Option "AutoAddDevices" "false"
                Option "AutoAddGPU" "false"
            EndSection
            Section "Device"
                Identifier "card"
                Driver "dummy"
                VideoRam 65536
            EndSection
            Section "Monitor"
                Identifier "monitor"
                HorizSync 1-1000
                VertRefresh 1-1000
            EndSection
            Section "Screen"
                Identifier "screen"
                Device "card"
                Monitor "monitor"
                DefaultDepth 24
                SubSection "Display"
                    Depth 24
                    Virtual 2560 1024
                EndSubSection
            EndSection
            \(devices.joined(separator: "\n"))
            Section "ServerLayout"
                Identifier "layout"
                Screen "screen"
                \(names.map { "InputDevice \"\($0)\"" }.joined(separator: "\n    "))
            EndSection
            """
    }
}
