// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Calendar
import Control
import Events
import Person
import Storage
import System
import Timeline

/// The verb `watch`.
struct WatchVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch",
        abstract: "Show what is stored, live; pause, exempt or erase with one key.",
        discussion: """
            The screen is redrawn whenever the state changes or something is stored. It \
            reads the recording, so what it shows is what is stored. Without a terminal it prints a line for \
            each change and each event instead.

            KEYS
              p  pause for 15 minutes            r  resume
              x  exempt the window in front      f  erase the last 5 minutes (asks first)
              q  quit

            EXAMPLES
              mcictl watch
              mcictl watch | tee work.txt
            """
    )

    func run() throws {
        let installation = Installation()
        let identities = try installation.identities()
        if let screen = FullScreen() {
            defer { screen.leave() }
            try Watch(installation, identities).run(on: screen)
        } else {
            var lines = WatchLines(installation, identities)
            try lines.run()
        }
    }
}

/// The screen of `watch`, and its keys.
private final class Watch {
    /// Milliseconds between two looks at the clock, the ring and the window in front.
    private static let pace: Int32 = 1000

    private let paths: Paths
    private let identities: [Identity]
    private var link: ControlLink?
    private var view = WatchView()
    /// The files of the ring when they were last read.
    private var seen: [[Int]?] = []
    /// Since when the next key answers whether to erase, in monotonic milliseconds; nil for not.
    private var askedToForget: Int64?
    /// Milliseconds in which no key answers: a person who types a word must not erase.
    private static let thinking: Int64 = 500

    init(_ installation: Installation, _ identities: [Identity]) {
        paths = installation.paths
        self.identities = identities
    }

    func run(on screen: FullScreen) throws {
        while true {
            look()
            let now = SystemClock.now().wall
            let (rows, columns) = screen.size
            screen.draw(view.lines(rows: rows, columns: columns, now: now))
            let links = [link?.descriptor].compactMap(\.self)
            switch screen.wait(for: links, timeout: Self.pace) {
            case .key(let byte):
                if take(byte) { return }
                if askedToForget != nil { screen.discardTyped() }
            case .readable: link?.turn()
            case .end: return
            case .changed, .nothing: break
            }
        }
    }

    /// Looks at everything again that may have changed.
    private func look() {
        if link?.isLost == true { (link, view.status, view.front) = (nil, nil, nil) }
        if link == nil, let new = ControlLink(path: paths.socket) {
            link = new
            new.monitor { [weak self] in self?.view.status = $0 }
            new.turn()
        }
        if view.status?.state == .recording {
            let client = try? ControlClient(path: paths.socket, timeout: 2)
            view.front = (try? client?.call(.explain))??.explanation
        } else {
            view.front = nil
        }
        readRing()
    }

    private func readRing() {
        let files = [paths.ring, paths.ring + "-wal"].map { Disk.fingerprint($0) }
        // Old events leave the ten minutes even if nothing is stored.
        let isOld = view.work.map { work in
            SystemClock.now().wall.milliseconds - work.from > StoredWork.length + 10_000
        }
        guard files != seen || isOld == true else { return }
        seen = files
        guard Disk.exists(paths.ring) else { return view.work = nil }
        do {
            let timeline = TimelineReader(try RingReader(path: paths.ring), identities)
            view.work = try StoredWork(timeline, SystemClock.now().wall)
            view.fault = nil
        } catch {
            view.work = nil
            view.fault = "The recording cannot be read now. See: mcictl verify"
        }
    }

    // MARK: Keys

    /// Does what a key says.
    ///
    /// - Parameter byte: The key.
    /// - Returns: Whether to quit.
    private func take(_ byte: UInt8) -> Bool {
        let key = Character(Unicode.Scalar(byte))
        if let asked = askedToForget {
            guard SystemClock.now().monotonic.milliseconds - asked > Self.thinking else {
                return false
            }
            askedToForget = nil
            view.message = key == "y" || key == "Y" ? attempt(forget) : "Nothing was erased."
            return false
        }
        switch key {
        case "q", "Q", "\u{4}": return true
        case "p", "P": view.message = attempt(pause)
        case "r", "R": view.message = attempt(resume)
        case "x", "X": view.message = attempt(exempt)
        case "f", "F": view.message = attempt(askToForget)
        default: view.message = "That key does nothing here."
        }
        return false
    }

    /// The answer of an action, or why it failed.
    private func attempt(_ action: () throws -> String) -> String {
        do {
            return try action()
        } catch let failure as Failure {
            return "\(failure.sentence) \(failure.next)"
        } catch let refusal as Refusal {
            return "\(refusal.reason) \(refusal.next)"
        } catch let error as ControlError {
            return error.description
        } catch {
            return "That failed: see mcictl doctor"
        }
    }

    private func pause() throws -> String {
        let installation = Installation()
        let length: Int64 = 15 * 60
        let (reply, pause, _) = try installation.pause(
            .init(seconds: Int(length)),
            length: length * 1000
        )
        view.status = reply?.status ?? view.status
        let end = (reply?.status?.until ?? pause.until).flatMap { WallTime($0) }
        return
            "Paused until \(end.map { TimeText.short($0, now: installation.now.wall) } ?? "you resume")."
    }

    private func resume() throws -> String {
        let reply = try Installation().change(.resume) { $0.pause = nil }
        view.status = reply?.status ?? view.status
        return reply == nil ? "The pause has ended. mcid is not running." : "The pause has ended."
    }

    private func exempt() throws -> String {
        guard let reply = try Installation().call(.exempt(ExemptCall(front: true))) else {
            return "mcid is not running, so nothing is recorded."
        }
        view.status = reply.status ?? view.status
        guard let record = reply.exemption, let app = record.scope.app else { return "Exempt." }
        return
            "\(Terminal.printable(app)) is exempt from now on. Undo: mcictl exempt remove \(record.id)"
    }

    /// The last five minutes.
    private var lastMinutes: ClosedRange<Int64> {
        let now = SystemClock.now().wall.milliseconds
        return now - 5 * 60_000...now
    }

    private func askToForget() throws -> String {
        let batches = try Eraser(Installation()).erase(.stretch(lastMinutes), dryRun: true).batches
        guard batches > 0 else { return "Nothing was recorded in the last 5 minutes." }
        askedToForget = SystemClock.now().monotonic.milliseconds
        let words = TimeText.count(batches, "batch", "batches")
        return "Permanently erase the last 5 minutes (\(words))? y/N"
    }

    private func forget() throws -> String {
        let (count, pending) = try Eraser(Installation())
            .erase(.stretch(lastMinutes), dryRun: false)
        seen = []
        let words = "Erased \(TimeText.count(count, "batch", "batches"))."
        return pending
            ? words + " Traces remain until another program stops reading the ring." : words
    }
}

/// The lines of `watch` where it has no terminal.
private struct WatchLines {
    private let paths: Paths
    private let identities: [Identity]
    private var state = ""

    init(_ installation: Installation, _ identities: [Identity]) {
        paths = installation.paths
        self.identities = identities
    }

    /// Prints until a signal ends it, or nobody reads.
    mutating func run() throws {
        var timeline: TimelineReader?
        var printer = LogPrinter(withKeys: false, isColoured: false, last: nil)
        var from = SystemClock.now().wall.milliseconds
        while true {
            let status = (try? ControlClient(path: paths.socket, timeout: 5).call(.getStatus))?
                .status
            sayState(status)
            if timeline == nil, let ring = try? RingReader(path: paths.ring) {
                timeline = TimelineReader(ring, identities)
            }
            let now = SystemClock.now().wall
            do {
                _ = try timeline?.read(from...Int64.max / 4, onlyNew: true, now: now) {
                    printer.take($0)
                    return true
                }
                printer.finish()
            } catch {
                // The ring was replaced: what follows is in the new one.
                (timeline, from) = (nil, now.milliseconds)
            }
            CurrentProcess.sleep(milliseconds: 1000)
        }
    }

    private mutating func sayState(_ status: Status?) {
        let now = SystemClock.now().wall
        let word = status.map { $0.state.rawValue + ($0.reason ?? "") + ($0.until ?? "") } ?? "none"
        guard word != state else { return }
        state = word
        let line =
            status.map { StatusText.lines($0, now)[0] } ?? "○ not running · nothing is recorded"
        Terminal.print("\(TimeText.exact(now))  \(line)")
    }
}
