// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// A page of `Tests/Scenarios`: what is done at a desktop, and what is stored of it.
///
/// The first comment is the title, the others say which promise is shown. Then comes a step a line
/// (``Step``), `stored:`, and a line for each thing that is stored (``StoredLine``).
struct Scenario: Sendable, CustomTestStringConvertible {
    /// A line of the file with what it means.
    struct Line<Value: Sendable>: Sendable {
        var number: Int
        var value: Value
    }

    /// The file's name without its ending.
    let name: String
    let title: String
    /// Why it cannot be played at a real desktop; nil where it can.
    private(set) var pureOnly: String?
    private(set) var steps: [Line<Step>] = []
    private(set) var stored: [Line<String>] = []

    var testDescription: String { name }

    private static let folder = Program.root + "/Tests/Scenarios"

    /// The names of all files.
    static let names: [String] = {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return files.filter { $0.hasSuffix(".txt") }.map { String($0.dropLast(4)) }.sorted()
    }()

    /// Those that are played: all, or the one that `MCI_SCENARIO` names.
    static let chosen: [String] = {
        let name = ProcessInfo.processInfo.environment["MCI_SCENARIO"]
        return name.map { [$0] } ?? names
    }()

    /// Reads a file of the folder.
    init(named name: String) throws {
        let path = "\(Self.folder)/\(name).txt"
        try self.init(name: name, try String(contentsOfFile: path, encoding: .utf8))
    }

    /// Reads a text.
    ///
    /// - Throws: ``ScenarioError`` at the first line that means nothing.
    init(name: String, _ text: String) throws {
        self.name = name
        var comments: [String] = []
        var isStored = false
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            let (number, line) = (index + 1, line.trimmingCharacters(in: .whitespaces))
            func fail(_ sentence: String) -> ScenarioError {
                ScenarioError(file: name, line: number, sentence: sentence)
            }
            if line.isEmpty { continue }
            if line.hasPrefix("#") {
                guard steps.isEmpty else { throw fail("A comment stands before the first step.") }
                let comment = line.dropFirst().trimmingCharacters(in: .whitespaces)
                if comment.hasPrefix("pure only: ") {
                    pureOnly = String(comment.dropFirst(11))
                } else {
                    comments.append(comment)
                }
            } else if line == "stored:" {
                guard !isStored else { throw fail("“stored:” stands there once.") }
                isStored = true
            } else if isStored {
                let named = WindowLayout(steps.map(\.value)).names
                guard StoredLine.isOne(line, windows: named) else {
                    throw fail("“\(line)” is not a line of what is stored.")
                }
                stored.append(Line(number: number, value: line))
            } else {
                guard let step = Step(line) else { throw fail("“\(line)” is not a step.") }
                steps.append(Line(number: number, value: step))
            }
        }
        title = comments.first ?? ""
        func fail(_ sentence: String) -> ScenarioError {
            ScenarioError(file: name, line: lines.count, sentence: sentence)
        }
        guard comments.count >= 2 else { throw fail("The title or the promise is missing.") }
        guard !steps.isEmpty, !stored.isEmpty else { throw fail("Steps or “stored:” are missing.") }
        guard stored.count == 1 || !stored.contains(where: { $0.value == "nothing" }) else {
            throw fail("“nothing” stands alone.")
        }
        if pureOnly == nil, let line = steps.first(where: { $0.value.isPureOnly }) {
            throw ScenarioError(
                file: name,
                line: line.number,
                sentence: "This step needs “# pure only: why”."
            )
        }
        // At a real desktop a program types for the person.
        guard pureOnly != nil || !usesPrograms || !steps.contains(where: { $0.value.isByHand })
        else { throw fail("Hands and a program type: that needs “# pure only: why”.") }
    }

    /// Whether keys are made by programs, and known to be.
    var usesPrograms: Bool {
        steps.contains {
            switch $0.value {
            case .type(_, byProgram: true), .press(_, byProgram: true): true
            default: false
            }
        }
    }

    /// Whether whoever deploys mci says something.
    var usesPolicy: Bool {
        steps.contains { if case .policy = $0.value { true } else { false } }
    }

    /// The windows, in the order in which they are named.
    var windows: WindowLayout { WindowLayout(steps.map(\.value)) }

    /// Does all steps and compares what was stored.
    ///
    /// - Parameters:
    ///   - stage: where.
    ///   - isExact: whether time is what the stage says it is, so that all stands in one order.
    /// - Returns: whether they agree.
    /// - Throws: where a step cannot be done.
    @discardableResult
    func play(on stage: some Stage, isExact: Bool) throws -> Bool {
        for step in steps {
            do {
                try stage.perform(step.value)
            } catch {
                throw ScenarioError(file: name, line: step.number, sentence: "\(error)")
            }
        }
        let events = try stage.finish()
        func asCompared(_ lines: [String]) -> [String] {
            isExact ? lines : StoredLine.inAnyTime(lines)
        }
        let lines = StoredLine.lines(of: events, windows, namesPrograms: usesPrograms)
        let (found, expected) = (asCompared(lines), asCompared(stored.map(\.value)))
        let unpaired = StoredLine.unpaired(events)
        guard unpaired.isEmpty else {
            let keys = unpaired.joined(separator: ", ")
            Issue.record("Tests/Scenarios/\(name).txt: pressed or released only: \(keys)")
            return false
        }
        guard found != expected else { return true }
        let place = zip(lines, stored).prefix { $0 == $1.value }.count
        let line = stored[min(place, stored.count - 1)].number
        Issue.record(
            """
            Tests/Scenarios/\(name).txt:\(line): expected:
            \(expected.joined(separator: "\n"))
            but this is stored:
            \(found.joined(separator: "\n"))
            """
        )
        return false
    }
}

/// A line of a scenario that means nothing, or that failed.
struct ScenarioError: Error, CustomStringConvertible {
    var file: String
    var line: Int
    var sentence: String

    var description: String { "Tests/Scenarios/\(file).txt:\(line): \(sentence)" }
}

/// Where the windows of a scenario stand: beside one another, in the order in which they are named.
struct WindowLayout: Sendable {
    struct Frame: Equatable, Sendable {
        var (x, y, width, height): (Int32, Int32, UInt32, UInt32)

        init(_ x: Int32, _ y: Int32, _ width: UInt32, _ height: UInt32) {
            (self.x, self.y, self.width, self.height) = (x, y, width, height)
        }

        /// The pixel in its middle.
        var middle: (x: Int32, y: Int32) { (x + Int32(width / 2), y + Int32(height / 2)) }

        func contains(_ x: Int32, _ y: Int32) -> Bool {
            (self.x..<self.x + Int32(width)).contains(x)
                && (self.y..<self.y + Int32(height)).contains(y)
        }
    }

    private(set) var names: [String] = []
    /// The window that a window is in.
    private(set) var hosts: [String: String] = [:]
    /// By name, on the screen.
    private(set) var frames: [String: Frame] = [:]
    /// Where no window is.
    static let background: (x: Int32, y: Int32) = (1270, 1010)

    init(_ steps: [Scenario.Step]) {
        for step in steps {
            switch step {
            case .window(let inner, let host):
                add(host)
                hosts[inner] = host
                add(inner)
            case .title(let name, _), .focus(let name?), .click(_, let name), .move(let name),
                .scroll(_, let name), .prompt(let name, _):
                add(name)
            default: break
            }
        }
    }

    private mutating func add(_ name: String) {
        guard !names.contains(name) else { return }
        if let host = hosts[name], let frame = frames[host] {
            frames[name] = Frame(frame.x + 20, frame.y + 20, 80, 60)
        } else {
            let place = Int32(names.count { hosts[$0] == nil })
            frames[name] = Frame(20 + place % 3 * 400, 20 + place / 3 * 250, 300, 200)
        }
        names.append(name)
    }

    /// The outermost window that a window is in, or itself.
    func outermost(of name: String) -> String { hosts[name].map { outermost(of: $0) } ?? name }

    /// The innermost window at a pixel.
    func window(atX x: Int32, y: Int32) -> String? {
        names.last { frames[$0]?.contains(x, y) == true }
    }
}
