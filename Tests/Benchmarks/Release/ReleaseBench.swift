// SPDX-License-Identifier: Apache-2.0

import Crypto
import Events
import Foundation
import Holder
import Notes
import Reader
import Release
import Sealing
import System
import Timeline

/// What a job over many releases costs beside the bare signatures and key exchanges.
///
/// `mci-release-bench [COUNT]` runs both in one process, by turns, and prints medians of five.
@main struct ReleaseBench {
    static func main() throws {
        let count = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 1000
        let folder = NSTemporaryDirectory() + "/mci-release-bench-\(UInt32.random(in: 0...(.max)))"
        defer { try? FileManager.default.removeItem(atPath: folder) }

        /// Milliseconds that a piece of work takes.
        func milliseconds(_ work: () throws -> Void) rethrows -> Double {
            let start = ContinuousClock.now
            try work()
            let time = ContinuousClock.now - start
            return Double(time.components.seconds) * 1000 + Double(time.components.attoseconds)
                / 1e15
        }

        func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

        let (authority, steward) = (NoteSigner(name: "authority"), NoteSigner(name: "steward"))
        let (readers, reader) = (NoteSigner(name: "readers"), NoteSigner(name: "reader"))
        var fields = ReleaseFields()
        fields.application = .name
        var purpose = try Signed(
            Purpose(
                id: "bench",
                title: "A benchmark",
                text: "It measures.",
                controller: "Example",
                contact: "office",
                fields: fields,
                days: 30,
                expires: "2099-01-01T00:00:00Z",
                holders: ["self"],
                readers: readers.verifier.text,
                authority: authority.verifier.text,
                steward: steward.verifier.text,
                weights: true
            )
        )
        try purpose.sign(authority)
        try purpose.sign(steward)
        var certificate = try Signed(
            Certificate(
                purpose: purpose.digest,
                person: "A. Reader",
                team: "research",
                job: "bench",
                key: reader.verifier.text,
                from: "2020-01-01T00:00:00Z",
                until: "2098-01-01T00:00:00Z"
            )
        )
        try certificate.sign(readers)

        try Disk.makeFolder(folder + "/holder")
        let holder = Holder(try HolderStore(path: folder + "/holder/holder.db")) {
            WallTime(KernelClock.realtime.milliseconds)
        }
        let files = ReleaseFiles(
            grants: folder + "/grants",
            purposes: folder + "/purposes",
            releases: folder + "/releases",
            outbox: folder + "/outbox"
        )
        let now = WallTime(KernelClock.realtime.milliseconds)
        let end = WallTime(now.milliseconds + 365 * 86_400_000)
        let record = try files.grant(purpose, fields, issued: now, end: end) { request in
            holder.answer(request, isPerson: true)
        }
        let payload = [UInt8](repeating: 0, count: 65_536)
        for _ in 0..<count {
            _ = try files.release(
                payload,
                events: 1,
                Recipe(grant: record.id, span: .init(from: 0, to: 1)),
                record,
                now: now
            )
        }

        /// One job over all releases: from the folder to the plaintexts.
        func job() throws {
            let (found, _) = try Store(folder + "/outbox").releases(for: purpose)
            let run = Run(key: reader, certificate: certificate.bytes, reason: "benchmark")
            let (request, asked) = run.request(found)
            // As through the folders of a holder.
            let bytes = HolderJSON.write(request)
            guard let read: HolderRequest = HolderJSON.read(bytes) else { exit(1) }
            let answer = holder.answer(read, isPerson: false)
            guard let back: HolderAnswer = HolderJSON.read(HolderJSON.write(answer)) else {
                exit(1)
            }
            var opened = 0
            try run.open(asked, back) { _, result in
                if case .opened = result { opened += 1 }
            }
            guard opened == found.count, opened == count else { exit(1) }
        }

        /// The signatures and key exchanges of that job, and the decryption and digests of its payloads.
        ///
        /// A release is verified by the reader and the holder, an opening signed by the reader, verified and
        /// signed by the holder, verified by the reader; the holder unwraps and wraps, and the reader unwraps.
        func bare() throws {
            let pair = Curve25519.Signing.PrivateKey()
            let text = Array(record.grant.note.text.utf8)
            let signature = try pair.signature(for: text)
            let (one, two) = (Identity(), Identity())
            guard let first = Recipient(one.recipient), let second = Recipient(two.recipient) else {
                exit(1)
            }
            let sealed = try AgeFile.seal(payload, to: [first])
            let size = try AgeFile(sealed).headerSize
            let header = Array(sealed.prefix(size))
            for _ in 0..<count {
                for _ in 0..<2 { _ = try pair.signature(for: text) }
                for _ in 0..<4 {
                    guard pair.publicKey.isValidSignature(signature, for: text) else { exit(1) }
                }
                let rewrapped = try AgeFile(header).rewrapped(by: one, for: second)
                let opened = try AgeFile(rewrapped + sealed[size...]).open([two])
                guard Digest.hex(sealed) != Digest.hex(opened) else { exit(1) }
            }
        }

        /// One opening by itself.
        let single = try Store(folder + "/outbox").releases(for: purpose).found[0]
        func open() throws {
            let run = Run(key: reader, certificate: certificate.bytes, reason: "benchmark")
            let (request, asked) = run.request([single])
            var isOpened = false
            try run.open(asked, holder.answer(request, isPerson: false)) { _, result in
                if case .opened = result { isOpened = true }
            }
            guard isOpened else { exit(1) }
        }

        try job()
        var (jobs, bares): ([Double], [Double]) = ([], [])
        for _ in 0..<5 {
            bares.append(try milliseconds(bare))
            jobs.append(try milliseconds(job))
        }
        print(
            String(
                format:
                    "a job over %d releases: %.0f ms; bare signatures, exchanges and payloads: %.0f ms; %.2f ×",
                count,
                median(jobs),
                median(bares),
                median(jobs) / median(bares)
            )
        )
        var singles: [Double] = []
        for _ in 0..<200 { singles.append(try milliseconds(open)) }
        singles.sort()
        print(
            String(
                format: "one opening: median %.1f ms, 99th percentile %.1f ms",
                singles[100],
                singles[197]
            )
        )

        var request = HolderRequest(.log)
        request.id = record.id
        let log = holder.answer(request, isPerson: true)
        let leaves = (log.leaves ?? []).map { Array($0.utf8) }
        let time = try milliseconds {
            _ = try LogTrace(
                leaves: Array(leaves),
                checkpoint: Array((log.checkpoints?[record.id] ?? "").utf8),
                of: record,
                seen: []
            )
        }
        print(
            String(
                format: "a trace of %d leaves: %.0f ms, so %.0f ms for 1,000",
                leaves.count,
                time,
                time * 1000 / Double(leaves.count)
            )
        )
        var erasure = try Signed(Erasure(grant: record.id, cause: .withdrawn, time: now.text))
        try erasure.sign(files.key(of: record.id))
        let erasing = try milliseconds { try holder.destroy(by: erasure) }
        print(String(format: "a withdrawal at the holder: %.1f ms", erasing))
    }
}
