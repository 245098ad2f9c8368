// SPDX-License-Identifier: Apache-2.0

import Events
package import Release
package import System

/// The folders through which a holder is asked and answers: files that anything may carry.
///
/// A request is `requests/ID.json`, its answer `answers/ID.json`. A file has its name only once it is
/// complete.
package struct Spool: Sendable {
    /// The folder with both.
    package let folder: String

    /// Names the folders.
    package init(_ folder: String) {
        self.folder = folder
    }

    /// The folder that only the person uses.
    package static func ofPerson(_ holder: String) -> Spool { Spool(holder + "/person") }

    /// The folder that readers use, or what carries their files.
    package static func ofProgram(_ holder: String) -> Spool { Spool(holder + "/program") }

    var requests: String { folder + "/requests" }
    var answers: String { folder + "/answers" }

    /// Creates the folders.
    ///
    /// - Throws: `FileError`.
    package func make() throws(FileError) {
        try Disk.makeFolder(requests)
        try Disk.makeFolder(answers)
    }

    // MARK: Asking

    /// Asks a holder and waits for its answer.
    ///
    /// - Parameters:
    ///   - request: what is asked.
    ///   - id: names the files, 32 hexadecimal digits.
    ///   - patience: milliseconds to wait.
    ///   - start: called when the request lies there.
    /// - Returns: the answer; nil when none came in time. The request is then withdrawn.
    /// - Throws: ``ReleaseError`` when the folders cannot be used.
    package func ask(
        _ request: HolderRequest,
        id: String,
        patience: Int64,
        start: () -> Void = {}
    ) throws(ReleaseError) -> HolderAnswer? {
        let answer = "\(answers)/\(id).json"
        let end = KernelClock.monotonic.milliseconds + patience
        let bytes: [UInt8]
        do throws(FileError) {
            let watch = FolderWatch([answers])
            try Disk.write(HolderJSON.write(request), to: "\(requests)/\(id).json")
            start()
            while !Disk.exists(answer) {
                let left = end - KernelClock.monotonic.milliseconds
                guard left > 0 else {
                    Disk.remove("\(requests)/\(id).json")
                    return nil
                }
                CurrentProcess.wait(
                    for: watch.map { [$0.descriptor] } ?? [],
                    milliseconds: min(left, 1000)
                )
                watch?.drain()
            }
            bytes = try Disk.read(answer, limit: HolderJSON.maxBytes)
            Disk.remove(answer)
        } catch {
            throw ReleaseError("The holder's folder \(folder) cannot be used (\(error)).")
        }
        guard let message: HolderAnswer = HolderJSON.read(bytes) else {
            throw ReleaseError("What lies in \(answers) is not an answer of a holder.")
        }
        return message
    }

    // MARK: Answering

    /// Answers all requests that lie there.
    ///
    /// - Parameter respond: makes the answer to a request; nil stands for something else.
    /// - Returns: how many were answered.
    package func answerAll(_ respond: (HolderRequest?) -> HolderAnswer) -> Int {
        var count = 0
        for name in (Disk.names(in: requests) ?? []).sorted() where name.hasSuffix(".json") {
            let path = "\(requests)/\(name)"
            guard Digest.isHex(String(name.dropLast(5)), 32), OwnPath.fault(path, .file) == nil
            else { continue }
            let request: HolderRequest? =
                (try? Disk.read(path, limit: HolderJSON.maxBytes)).flatMap { HolderJSON.read($0) }
            let answer = respond(request)
            // The request goes only when its answer is there: a holder that dies answers it again.
            guard (try? Disk.write(HolderJSON.write(answer), to: "\(answers)/\(name)")) != nil
            else {
                continue
            }
            Disk.remove(path)
            // One that stays would be answered again and again.
            if !Disk.exists(path) { count += 1 }
        }
        return count
    }
}
