// SPDX-License-Identifier: Apache-2.0

import Glibc
import System

/// Where an export goes: a file that appears once it is complete, or the FIFO or terminal at the path;
/// written by this program or by a bridge that it feeds.
final class ExportFile {
    private let path: String
    private let file: OutFile
    /// Where the bytes go: into the file, or into a pipe to the bridge.
    private let output: Int32
    private var bridge: ChildProcess?

    /// Begins an export.
    ///
    /// - Parameters:
    ///   - path: where it will appear; an existing file stays until then.
    ///   - isParquet: whether the bytes are CSV that pyarrow makes into Parquet.
    /// - Throws: a ``Failure``.
    init(_ path: String, isParquet: Bool) throws {
        self.path = path
        // If the reader goes away, writing fails with an error.
        signal(SIGPIPE, SIG_IGN)
        do {
            file = try OutFile(path)
        } catch {
            throw Failure("\(path) cannot be written (\(error)). Nothing was changed.")
        }
        if isParquet {
            let child = try ParquetWriter.start(ParquetWriter.parquet, into: file.descriptor)
            (output, bridge) = (child.input, child)
        } else {
            output = file.descriptor
        }
    }

    /// Whether it is a FIFO, a terminal or standard output, and not a file of its own.
    var isStream: Bool { file.isStream }

    /// Whether it goes to a terminal.
    var isTerminal: Bool { file.isTerminal }

    func write(_ bytes: [UInt8]) throws {
        do {
            try Disk.write(bytes, to: output)
        } catch {
            // A bridge that has ended says why itself.
            if bridge != nil { try endBridge() }
            throw failure("\(error)")
        }
    }

    /// Makes the file appear.
    func finish() throws {
        try endBridge()
        do {
            try file.finish()
        } catch {
            throw failure("\(error)")
        }
    }

    /// Removes an unfinished export.
    func abandon() {
        bridge?.kill()
        try? endBridge()
        file.abandon()
    }

    private func failure(_ reason: String) -> Failure {
        let left = file.isStream ? "Only part of it was written." : "Nothing was left behind."
        return Failure("\(path) cannot be written (\(reason)). \(left)")
    }

    private func endBridge() throws {
        guard let child = bridge else { return }
        bridge = nil
        close(output)
        switch ParquetWriter.end(child) {
        case .done: return
        case .missingModule:
            throw Failure(
                "Parquet needs Python's pyarrow, which is not installed. Nothing was left behind.",
                next: "python3 -m pip install pyarrow, or --format csv"
            )
        case .failed(let reason): throw failure(reason)
        }
    }
}
