// SPDX-License-Identifier: Apache-2.0

import CFuzzer
import Glibc

/// A reader under test: bytes go in, and whatever they are, nothing may stop the program.
struct Target: Sendable {
    let name: String
    /// What a run is given: the bytes of one input.
    let run: @Sendable (ArraySlice<UInt8>) -> Void
    /// Valid inputs from which mutations begin, always the same.
    let seeds: @Sendable () -> [[UInt8]]

    static let all = [
        ageHeader, bus, control, export, note, payload, release, replies, ring, row, server,
        xauthority,
    ]
}

/// Stops the run, and keeps its input, where a promise is broken.
func check(_ condition: Bool, _ promise: StaticString) {
    if !condition { preconditionFailure("\(promise)") }
}

// The chosen target, for libFuzzer's function has no context: set once before the runs.
nonisolated(unsafe) private var chosen = Target.row

/// `fuzz seeds <target> <folder>` writes the seeds, `fuzz <target> <libFuzzer's arguments>` runs.
@main enum Fuzz {
    static func main() {
        let words = CommandLine.arguments
        if words.count == 4, words[1] == "seeds", let target = named(words[2]) {
            for (index, seed) in target.seeds().enumerated() {
                let path = "\(words[3])/seed-\(index)"
                guard let file = fopen(path, "w") else { return fail("cannot write \(path)") }
                fwrite(seed, 1, seed.count, file)
                fclose(file)
            }
            return
        }
        guard words.count >= 2, let target = named(words[1]) else {
            let names = Target.all.map(\.name).joined(separator: "|")
            return fail("usage: fuzz \(names) [libFuzzer's arguments]; fuzz seeds \(names) folder")
        }
        chosen = target
        var count = CommandLine.argc - 1
        var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? =
            CommandLine.unsafeArgv.advanced(by: 1)
        exit(
            LLVMFuzzerRunDriver(&count, &arguments) { data, size in
                chosen.run(Array(UnsafeBufferPointer(start: data, count: size))[...])
                return 0
            }
        )
    }

    private static func named(_ name: String) -> Target? { Target.all.first { $0.name == name } }

    private static func fail(_ text: String) {
        let line = text + "\n"
        write(2, line, line.utf8.count)
        exit(64)
    }
}

/// Random numbers that are the same in every run (Steele, Lea and Flood, 2014).
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}

extension ArraySlice<UInt8> {
    /// Takes the first byte away; 0 at the end.
    mutating func take() -> UInt8 { popFirst() ?? 0 }

    /// Takes up to so many bytes away.
    mutating func take(_ count: Int) -> [UInt8] {
        defer { self = dropFirst(count) }
        return Array(prefix(count))
    }
}

extension [UInt8] {
    /// Cut or filled up with zeros.
    func padded(to size: Int) -> [UInt8] {
        Array(prefix(size)) + [UInt8](repeating: 0, count: Swift.max(0, size - count))
    }
}
