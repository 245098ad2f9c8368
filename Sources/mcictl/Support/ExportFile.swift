// SPDX-License-Identifier: Apache-2.0

import Files
import Glibc

/// A file that appears when it is whole, written by this program or by a bridge it feeds.
final class ExportFile {
    private let path: String
    private let new: NewFile
    /// Where the bytes go: into the file, or into a pipe to the bridge.
    private let output: Int32
    private var bridge: pid_t?

    /// Begins a file.
    ///
    /// - Parameters:
    ///   - path: where it is to appear; what is there stays until then.
    ///   - isParquet: whether the bytes are CSV that pyarrow makes into Parquet.
    /// - Throws: a ``Failure``.
    init(_ path: String, isParquet: Bool) throws {
        self.path = path
        do {
            new = try NewFile(path)
        } catch {
            throw Failure("\(path) cannot be written (\(error)).")
        }
        if isParquet {
            let (pipe, child) = try Bridge.start(Bridge.parquet, into: new.descriptor)
            (output, bridge) = (pipe, child)
        } else {
            output = new.descriptor
        }
    }

    func write(_ bytes: [UInt8]) throws {
        do {
            try Disk.write(bytes, to: output)
        } catch {
            // A bridge that ended says why itself.
            if bridge != nil { try endBridge() }
            throw Failure("\(path) cannot be written (\(error)). Nothing was left behind.")
        }
    }

    /// Makes the file appear.
    func finish() throws {
        try endBridge()
        do {
            try new.finish()
        } catch {
            throw Failure("\(path) cannot be written (\(error)).")
        }
    }

    /// Takes away what was begun.
    func abandon() {
        if let bridge { kill(bridge, SIGKILL) }
        try? endBridge()
        new.abandon()
    }

    private func endBridge() throws {
        guard let child = bridge else { return }
        bridge = nil
        close(output)
        guard Bridge.end(child) else {
            throw Failure(
                "Python could not write Parquet.",
                next: "python3 -m pip install pyarrow, or --format csv"
            )
        }
    }
}
