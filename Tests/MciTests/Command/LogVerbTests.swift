// SPDX-License-Identifier: Apache-2.0

import Events
import Foundation
import Testing

/// What `mcictl log` shows of a ring made here, by the real program.
@Suite struct LogVerbTests {
    private let ring: SyntheticRing
    private var environment: [String: String]

    init() throws {
        ring = try SyntheticRing()
        // 2027-01-15T08:00:00Z, two hours, and the next day.
        try ring.put(minute: 0, app: "Firefox", times: [0, 1000, 50_000])
        try ring.put(minute: 30, app: "Editor", times: [0, 1000])
        // Known only when it has ended, after what the pointer did meanwhile.
        try ring.putGap(from: 28 * 60_000, to: 31 * 60_000)
        try ring.put(minute: 90, app: "Firefox", times: [0])
        try ring.put(minute: 24 * 60, app: "Editor", times: [5])
        environment = ring.folder.environment
        environment["TZ"] = "UTC"
        environment["LC_ALL"] = "C.UTF-8"
        environment["PATH"] = ProcessInfo.processInfo.environment["PATH"]
    }

    private func log(_ arguments: String...) throws -> Program.Result {
        try Program.run("mcictl", ["log"] + arguments, environment: environment)
    }

    @Test func `the log has a heading for each day, and its lines are in order and in words`()
        throws
    {
        let result = try log()
        #expect(result.code == 0, "\(result.errors)")
        let lines = result.lines
        #expect(lines.filter { !$0.contains(":") } == ["Friday 2027-01-15", "Saturday 2027-01-16"])
        #expect(lines[0] == "Friday 2027-01-15")
        #expect(lines[1] == "08:00:00.000  –            in front: Firefox")
        #expect(lines[2] == "08:00:00.000  pointer 9    moved by nothing")
        #expect(lines.contains("08:30:01.000  pointer 9    moved right 30"))
        let gap =
            "08:31:00.000  –            nothing recorded for 3 min: paused (since 08:28:00.000)"
        #expect(lines.contains(gap))
        let times = lines.filter { $0.contains(":") }.map { $0.prefix(12) }
        let today = times.dropLast(2)
        #expect(Array(today) == today.sorted())
        #expect(result.errors == "11 events · 1 gap · --keys shows which keys\n")
    }

    @Test func `the last lines, and those of one application, can be asked for`() throws {
        #expect(try log("-n", "2").lines.count == 3)
        #expect(try log("-n", "2", "--json").objects.count == 2)
        let firefox = try log("--app", "fire*")
        #expect(firefox.errors.hasPrefix("6 events · 0 gaps"))
        #expect(!firefox.output.contains("Editor"))
        #expect(try log("--app", "firefox", "--json").objects.count == 6)
        #expect(try log("-n", "0").code == 64)
        #expect(try log("--summary", "--follow").code == 64)
    }

    @Test
    func `the summary says for each hour what was recorded with which application, and what not`()
        throws
    {
        let result = try log("--summary")
        #expect(result.code == 0, "\(result.errors)")
        #expect(
            result.lines == [
                "Friday 2027-01-15", "08:00  Firefox  3 movements", "       Editor   2 movements",
                "       not recorded: paused 3 min", "09:00  Firefox  1 movement",
                "Saturday 2027-01-16", "08:00  Editor  1 movement",
                "Not recorded in total: paused 3 min",
            ]
        )
        let json = try log("--summary", "--json").json
        #expect(json["schema"] as? Int == 1)
        #expect((json["hours"] as? [[String: Any]])?.count == 3)
        #expect((json["gaps"] as? [[String: Any]])?.first?["milliseconds"] as? Int == 180_000)
        // A gap is cut to the time that was asked for.
        let cut = try log("--summary", "--json", "--since", "2027-01-15T08:30:00Z").json
        #expect((cut["gaps"] as? [[String: Any]])?.first?["milliseconds"] as? Int == 60_000)
    }

    @Test func `hours are those of the clock on the wall`() throws {
        var environment = environment
        environment["TZ"] = "Asia/Kolkata"
        let result = try Program.run("mcictl", ["log", "--summary"], environment: environment)
        #expect(result.lines[1].hasPrefix("13:00  Firefox"))
        #expect(result.lines.contains("14:00  Editor  2 movements"))
    }

    @Test func `on a terminal it is coloured and goes through the pager`() throws {
        var environment = environment
        environment["TERM"] = "xterm"
        environment["MCI_PAGER"] = "sed s/^/through\\ /"
        let paged = try PseudoTerminal.run("mcictl", ["log"], environment: environment, [])
        #expect(paged.code == 0)
        #expect(paged.output.contains("through \u{1B}[1mFriday 2027-01-15\u{1B}[m"))
        #expect(paged.output.contains("11 events"))
        environment["NO_COLOR"] = "1"
        let plain = try PseudoTerminal.run(
            "mcictl",
            ["log", "--no-pager"],
            environment: environment,
            []
        )
        #expect(!plain.output.contains("through") && !plain.output.contains("\u{1B}"))
        #expect(plain.output.contains("Friday 2027-01-15"))
        // Somebody who leaves the pager early has seen enough.
        environment["MCI_PAGER"] = "true"
        #expect(try PseudoTerminal.run("mcictl", ["log"], environment: environment, []).code == 0)
        environment["MCI_PAGER"] = "no-such-pager"
        let without = try PseudoTerminal.run("mcictl", ["log"], environment: environment, [])
        #expect(without.output.contains("Friday 2027-01-15"))
    }

    @Test func `where the locale has no UTF-8 a person gets ASCII, and a program UTF-8`() throws {
        var environment = environment
        environment["LC_ALL"] = "C"
        for arguments in [
            ["log"], ["log", "--summary"], ["status"], ["pause", "soon"], ["--help"],
        ] {
            let result = try Program.run("mcictl", arguments, environment: environment)
            let isASCII = (result.output + result.errors).utf8.allSatisfy { $0 < 0x80 }
            #expect(isASCII, "\(arguments)")
        }
        try ring.put(minute: 25 * 60, app: "Büro")
        let json = try Program.run("mcictl", ["log", "--json"], environment: environment)
        #expect(json.output.contains("Büro"))
    }

    @Test func `an application is erased by the pattern that an exemption takes`() throws {
        func run(_ arguments: String...) throws -> Program.Result {
            try Program.run("mcictl", ["forget"] + arguments, environment: environment)
        }
        let none = try run("--app", "fire", "--dry-run")
        #expect(none.output == "Nothing matches; nothing was erased.\n")
        #expect(none.errors.contains("mcictl log --summary"))
        #expect(try run("--app", "", "--dry-run").code == 64)
        // Firefox in the eighth and the ninth hour.
        #expect(try run("--app", "FIRE?ox*", "--yes").output == "Erased 2 batches.\n")
        let rest = try log("--json").output
        #expect(!rest.contains("Firefox") && rest.contains("Editor"))
    }
}
