// SPDX-License-Identifier: Apache-2.0

import CX11
import Control
import Events
import Foundation
import Testing

/// The verb `replay`: where it refuses, and that it lets go.
@Suite(.serialized) struct ReplayCommandTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// Writes a file of events, each with its time in milliseconds.
    private func file(_ events: [(time: Int, fields: String)]) throws -> String {
        let lines = events.map { event in
            let (second, rest) = (event.time / 1000, event.time % 1000)
            let time = String(
                format: "2027-01-15T08:%02d:%02d.%03dZ",
                second / 60,
                second % 60,
                rest
            )
            return "{\"time\":\"\(time)\",\(event.fields)}\n"
        }
        let path = "\(folder.path)/events.jsonl"
        try lines.joined().write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }

    private static func key(_ keysym: String?, _ state: String, _ name: String = "letter") -> String
    {
        let keysym = keysym.map { "\"keysym\":\"\($0)\"," } ?? ""
        return "\"type\":\"key\",\"state\":\"\(state)\",\"class\":\"\(name)\",\(keysym)"
            + "\"modifiers\":[],\"device\":5"
    }

    private func replay(
        _ file: String,
        _ display: String,
        _ options: String...,
        own: String? = nil
    ) throws -> Program.Result {
        var environment = folder.environment
        environment["DISPLAY"] = own
        return try Program.run(
            "mcictl",
            ["replay", file, "--display", display] + options,
            environment: environment
        )
    }

    @Test func `the display of the session is refused under each of its names`() throws {
        let desktop = try Desktop.apart()
        let file = try file([(0, Self.key("a", "down")), (1, Self.key("a", "up"))])
        let number = desktop.display.dropFirst()
        let host = ProcessInfo.processInfo.hostName
        for own in [
            ":\(number)", ":\(number).0", "unix:\(number)", "localhost:\(number).0",
            "unix/:\(number)", "127.0.0.1:\(number)", "\(host):\(number)", "LOCALHOST:0\(number)",
            "what is this",
        ] {
            for target in [":\(number)", ":\(number).0", "unix:\(number)", ":0\(number)"] {
                let result = try replay(file, target, own: own)
                #expect(result.code == 77, "\(own) \(target)")
                #expect(result.errors.contains("the display of this session"))
            }
        }
        #expect(try replay(file, ":\(number)", own: ":\(number)1").code == 0)
        #expect(try replay(file, ":\(number)", own: "elsewhere:\(number)").code == 0)
        #expect(try replay(file, ":\(number)").code == 0)
        for other in ["localhost:\(number)", "elsewhere:\(number)", "\(number)", ":", ":x"] {
            #expect(try replay(file, other).code == 64, "\(other)")
        }
        #expect(try replay(file, ":\(number)", "--speed", "0").code == 64)
    }

    @Test func `a display that mcid records is refused, also while it is played into`() throws {
        let desktop = try Desktop.apart()
        let file = try file([
            (0, Self.key("a", "down")), (1, Self.key("a", "up")), (2, Self.key("b", "down")),
            (60_000, Self.key("a", "down")), (60_001, Self.key("a", "up")),
        ])
        let hand = try Hand(desktop)
        let daemon = try Daemon(desktop)
        try daemon.useSmallRing()
        let errors = "\(folder.path)/errors"
        let played = try start(file, desktop.display, errors: errors)
        try #require(eventually { hand.held.count == 1 })
        try daemon.start()
        try #require(eventually { daemon.status?.state == .recording })
        try #require(eventually { !played.isRunning })
        #expect(played.terminationStatus == 77)
        let told = try String(contentsOfFile: errors, encoding: .utf8)
        #expect(told.contains("mcid records \(desktop.display)"))

        let refused = try replay(file, desktop.display)
        #expect(refused.code == 77 && refused.errors.contains("mcid records"))
        // The mcid of the same home: whatever is allowed.
        daemon.environment["DISPLAY"] = nil
        let own = try daemon.command("replay", file, "--display", desktop.display, "--record-again")
        #expect(own.code == 77 && own.errors.contains("Your own mcid"), "\(own.errors)")
        // Not connected, it records nothing.
        try daemon.command("pause", "1h")
        let quick = try daemon.command(
            "replay",
            file,
            "--display",
            desktop.display,
            "--speed",
            "max"
        )
        #expect(quick.code == 0, "\(quick.errors)")
        _ = try daemon.command("resume")
        #expect(try daemon.export().allSatisfy { $0["type"] as? String != "key" })
    }

    /// Begins to play a file.
    private func start(
        _ file: String,
        _ display: String,
        errors: String,
        speed: String = "1"
    ) throws -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try #require(Program.path("mcictl")))
        process.arguments = ["replay", file, "--display", display, "--speed", speed]
        process.environment = folder.environment
        _ = FileManager.default.createFile(atPath: errors, contents: nil)
        process.standardError = FileHandle(forWritingAtPath: errors)
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        return process
    }

    @Test func `a display with a device that a person may hold is refused`() throws {
        let desktop = try Desktop.apart()
        let file = try file([(0, Self.key("a", "down")), (1, Self.key("a", "up"))])
        // A server that tells of another device, in as many bytes.
        let relay = Process()
        relay.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        let pipe = Pipe()
        relay.standardOutput = pipe
        relay.arguments = ["-c", Self.relay, String(desktop.display.dropFirst())]
        try relay.run()
        defer { relay.end() }
        let line = String(decoding: pipe.fileHandleForReading.availableData, as: UTF8.self)
        let display = ":" + line.trimmingCharacters(in: .whitespacesAndNewlines)
        let result = try replay(file, display)
        #expect(result.code == 77)
        #expect(result.errors.contains("has the device “Acme mouse”"), "\(result.errors)")
        #expect(try replay(file, desktop.display).code == 0)
    }

    @Test(.enabled(if: XorgServer.refusal == nil))
    func `an Xorg whose every screen is a dummy is played into, whatever its devices`() throws {
        let server = try XorgServer(["keys": .keyboard, "mouse": .mouse])
        let file = try file([(0, Self.key("a", "down")), (1, Self.key("a", "up"))])
        let result = try replay(file, server.display)
        #expect(result.code == 0, "\(result.errors)")
    }

    private static let relay = """
        import os, socket, sys, threading
        def pump(a, b):
            while data := a.recv(65536):
                b.sendall(data.replace(b"Xvfb mouse", b"Acme mouse"))
            b.close()
        for number in range(500, 600):
            path = f"/tmp/.X11-unix/X{number}"
            if not os.path.exists(path): break
        server = socket.socket(socket.AF_UNIX)
        server.bind(path)
        server.listen()
        print(number, flush=True)
        client, _ = server.accept()
        os.unlink(path)
        real = socket.socket(socket.AF_UNIX)
        real.connect(f"/tmp/.X11-unix/X{sys.argv[1]}")
        threading.Thread(target=pump, args=(real, client), daemon=True).start()
        pump(client, real)
        """

    @Test(arguments: [SIGINT, SIGTERM, SIGQUIT])
    func `whoever stops it finds no key and no button held`(signal: Int32) throws {
        let desktop = try Desktop.apart()
        let hand = try Hand(desktop)
        let file = try file([
            (0, Self.key("Shift_L", "down", "modifier")), (10, Self.key("a", "down")),
            (10, Self.key(nil, "down")),
            (20, "\"type\":\"button\",\"state\":\"down\",\"button\":1"),
            (60_000, Self.key("a", "up")),
        ])
        let process = try start(file, desktop.display, errors: "\(folder.path)/errors")
        #expect(eventually { hand.held.count == 3 && hand.isButtonHeld })
        kill(process.processIdentifier, signal)
        process.waitUntilExit()
        #expect(process.terminationStatus == 128 + signal)
        #expect(hand.held.isEmpty && !hand.isButtonHeld)
    }

    /// Lines that no recording has, each after keys that are held down: whatever is wrong with a number
    /// or a time, nothing traps and nothing stays down.
    @Test(
        arguments: [
            "\"type\":\"motion\",\"dx\":1e300,\"dy\":0,\"x\":1,\"y\":1",
            "\"type\":\"motion\",\"dx\":1,\"dy\":-9e18,\"x\":1,\"y\":1",
            "\"type\":\"motion\",\"dx\":1e999,\"dy\":0,\"x\":1,\"y\":1",
            "\"type\":\"motion\",\"dx\":1,\"dy\":1,\"x\":1e300,\"y\":1",
            "\"type\":\"motion\",\"dx\":\"NaN\",\"dy\":1,\"x\":1,\"y\":1",
            "\"type\":\"scroll\",\"dx\":0,\"dy\":1e18,\"x\":1,\"y\":1",
            "\"type\":\"scroll\",\"dx\":0",
            "\"type\":\"button\",\"button\":1e300,\"state\":\"down\"",
            "\"type\":\"button\",\"button\":-1,\"state\":\"down\"",
            "\"type\":\"button\",\"button\":1,\"state\":\"down\",\"x\":-1e19,\"y\":2",
            "\"type\":\"axes\",\"axes\":{},\"x\":1e300,\"y\":1",
        ]
    )
    func `a number that no device tells is refused before anything is played`(bad: String) throws {
        let desktop = try Desktop.apart()
        let hand = try Hand(desktop)
        let file = try file([
            (0, Self.key("Shift_L", "down", "modifier")), (1, Self.key("a", "down")), (2, bad),
        ])
        let result = try replay(file, desktop.display)
        #expect(result.code == 1 && result.errors.contains("Line 3 "), "\(result)")
        #expect(hand.held.isEmpty)
    }

    @Test func `a file that grows while it is played is played on, and the bar stays full`() throws
    {
        let desktop = try Desktop.apart()
        let hand = try Hand(desktop)
        let path = try file([(0, Self.key("a", "down")), (1400, Self.key("b", "down"))])
        let process = Process()
        // A terminal, for without one there is no bar.
        process.executableURL = URL(fileURLWithPath: try #require(Program.path("script")))
        let mcictl = try #require(Program.path("mcictl"))
        let said = "\(folder.path)/said"
        process.arguments = [
            "-qefc", "exec \(mcictl) replay \(path) --display \(desktop.display)", said,
        ]
        process.environment = folder.environment
        process.standardOutput = FileHandle.nullDevice
        process.standardInput = FileHandle.nullDevice
        try process.run()
        try #require(eventually { hand.held.count == 1 })
        let more = try #require(FileHandle(forWritingAtPath: path))
        more.seekToEndOfFile()
        for step in 1...4 {
            let key = Self.key("c", step % 2 == 1 ? "down" : "up")
            let time = "2027-01-15T08:00:0\(step / 5 + 1).\(400 + 120 * step)Z"
            more.write(Data("{\"time\":\"\(time)\",\(key)}\n".utf8))
        }
        process.waitUntilExit()
        let text = try String(contentsOfFile: said, encoding: .utf8)
        #expect(process.terminationStatus == 0, "\(text)")
        #expect(text.contains("Played 6 events"), "\(text)")
        #expect(text.contains("100 %") && !text.contains("150 %"), "\(text)")
        #expect(hand.held.isEmpty)
    }

    @Test func `a moment thousands of years away is waited for, and let go of`() throws {
        let desktop = try Desktop.apart()
        let hand = try Hand(desktop)
        let path = "\(folder.path)/events.jsonl"
        let key = Self.key("a", "down")
        try """
        {"time":"0001-01-01T00:00:00Z",\(key)}
        {"time":"9999-12-31T23:59:59Z",\(Self.key("b", "down"))}

        """.write(toFile: path, atomically: true, encoding: .utf8)
        let process = try start(
            path,
            desktop.display,
            errors: "\(folder.path)/errors",
            speed: "0.01"
        )
        #expect(eventually { hand.held.count == 1 })
        kill(process.processIdentifier, SIGQUIT)
        process.waitUntilExit()
        #expect(process.terminationReason == .exit && process.terminationStatus == 128 + SIGQUIT)
        #expect(hand.held.isEmpty)
    }

    @Test func `a key recorded by class only is a placeholder, or left out`() throws {
        let desktop = try Desktop.apart()
        let file = try file([
            (0, Self.key(nil, "down")), (1, Self.key(nil, "down", "digit")),
            (2, Self.key(nil, "up")), (3, Self.key(nil, "up", "digit")),
            (4, Self.key("Return", "down", "editing")), (5, Self.key("Return", "up", "editing")),
            (6, "\"type\":\"touch\",\"fingers\":[{\"x\":1}]"),
        ])
        let whole = try replay(file, desktop.display)
        #expect(whole.output == "Played 6 events into \(desktop.display).\n")
        #expect(whole.errors.contains("2 keys recorded by class only: placeholders were played"))
        #expect(whole.errors.contains("1 line of kinds that cannot be played"))
        let part = try replay(file, desktop.display, "--skip-text", "--json")
        #expect(part.json["played"] as? Int == 2 && part.json["skippedKeys"] as? Int == 2)
    }

    @Test func `clicks and pens lead to the pixels of the recording, whatever lies between`() throws
    {
        let desktop = try Desktop.apart()
        let witness = try ClickWitness(desktop)
        func line(_ type: String, _ fields: String) -> String {
            "\"type\":\"\(type)\",\(fields),\"device\":4"
        }
        let file = try file([
            (0, line("motion", "\"dx\":7,\"dy\":-3,\"x\":100,\"y\":50")),
            (1, line("motion", "\"dx\":5,\"dy\":4")),
            (2, line("button", "\"button\":1,\"state\":\"down\",\"x\":105,\"y\":54")),
            (3, line("button", "\"button\":1,\"state\":\"up\",\"x\":300,\"y\":200")),
            (4, line("axes", "\"axes\":{\"0\":900,\"4\":12},\"x\":20,\"y\":30")),
            (5, line("button", "\"button\":3,\"state\":\"down\"")),
            (6, line("button", "\"button\":3,\"state\":\"up\"")),
            (7, line("axes", "\"axes\":{\"4\":80}")),
            (8, line("touch", "\"finger\":0,\"state\":\"down\",\"axes\":{},\"x\":1,\"y\":1")),
        ])
        let result = try replay(file, desktop.display)
        #expect(result.code == 0, "\(result.errors)")
        // Pressure alone and fingers are nothing that XTEST can say.
        #expect(result.output == "Played 7 events into \(desktop.display).\n")
        let places = witness.heard().map { [Int($0.click.pixel.x), Int($0.click.pixel.y)] }
        #expect(places == [[105, 54], [300, 200], [20, 30], [20, 30]])
    }

    @Test func `a damaged file is named by its line, and nothing of it is played`() throws {
        let desktop = try Desktop.apart()
        let hand = try Hand(desktop)
        for bad in [
            "\"type\":\"key\",\"state\":\"down\"", "\"type\":\"motion\",\"dx\":1",
            "\"type\":\"button\",\"button\":0,\"state\":\"up\"", "\"type\":3",
            "\"type\":\"motion\",\"dx\":1e300,\"dy\":0",
        ] {
            let file = try file([(0, "\"type\":\"motion\",\"dx\":9,\"dy\":9"), (1, bad)])
            let before = hand.pointer
            let result = try replay(file, desktop.display)
            #expect(result.code == 1 && result.errors.contains("Line 2 "), "\(result.errors)")
            #expect(hand.pointer.x == before.x && hand.pointer.y == before.y)
        }
        #expect(try replay("/nonexistent", desktop.display).code == 1)
    }
}

extension Hand {
    /// The keys that the server takes for held.
    var held: [Int] {
        var bits = [CChar](repeating: 0, count: 32)
        XQueryKeymap(display, &bits)
        return (0..<256).filter { UInt8(bitPattern: bits[$0 / 8]) >> ($0 % 8) & 1 == 1 }
    }

    /// Whether a button is held.
    var isButtonHeld: Bool {
        var (root, child): (Window, Window) = (0, 0)
        var (x, y, inX, inY, mask): (Int32, Int32, Int32, Int32, UInt32) = (0, 0, 0, 0, 0)
        let window = XDefaultRootWindow(display)
        XQueryPointer(display, window, &root, &child, &x, &y, &inX, &inY, &mask)
        return mask & 0x1F00 != 0
    }
}

extension Desktop {
    /// A desktop that no recorder of another test comes back to: these wait for the display that they
    /// had, whose number a new one may get.
    static func apart() throws -> Desktop {
        let number = Int.random(in: 2000...30_000)
        let desktop = try Desktop(display: ":\(number)")
        let socket = "/tmp/.X11-unix/X\(number)"
        try #require(eventually { FileManager.default.fileExists(atPath: socket) })
        return desktop
    }
}
