// SPDX-License-Identifier: Apache-2.0

import Foundation
import Signing
import Synchronization
import Testing
import Timeline

@testable import Storage

/// Verification beside a recorder that goes on writing.
@Suite struct BusyVerifyTests {
    @Test func `a ring that is being written is never accused`() throws {
        let folder = try TemporaryFolder()
        let path = "\(folder.path)/ring.db"
        let mill = try BatchMill()
        let (identity, key) = (mill.identity, mill.key)
        let ring = try SmallRing.open(path, key)
        for number in 1...UInt64(5) { try ring.put(try mill.batch(number)) }
        let isDone = Atomic(false)
        let rounds = isProof ? 10_000 : 60
        let found = Mutex([Verification]())
        let done = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            for _ in 0..<rounds {
                let marks = SmallRing.marks(path)
                let seen = try? Verifier(path, [identity], key.verifier, marks).verify()
                if let seen, !seen.isWhole { found.withLock { $0.append(seen) } }
            }
            isDone.store(true, ordering: .relaxed)
            done.signal()
        }
        var (number, writings) = (UInt64(5), 0)
        while !isDone.load(ordering: .relaxed) {
            // The open batch grows, another begins, one is forgotten, and the log is emptied.
            if writings % 3 == 0 { number += 1 }
            do {
                try ring.put(try mill.batch(number))
                if writings % 7 == 0 { try ring.erase(try ring.targets([number - 2])) }
                if writings % 5 == 0 { try ring.finishErasure() }
            } catch let error as StorageError where error.code == .busy {}
            writings += 1
        }
        done.wait()
        let wrong = found.withLock { $0 }
        print("verify: \(rounds) runs beside \(writings) writings, \(wrong.count) accused")
        #expect(wrong.isEmpty, "\(wrong.prefix(3))")
    }
}
