// SPDX-License-Identifier: Apache-2.0

import Events
import Foundation
import Packing
import Sealing
import Signing
import Testing
import Timeline

@Suite struct ForeignReadersTests {
    @Test func `random batches open byte for byte in Debian's age and in pyrage`() throws {
        let folder = try TemporaryFolder()
        let identity = Identity()
        let sealer = Sealer([try #require(Recipient(identity.recipient))], signedBy: DeviceKey())
        try identity.file(createdAt: WallTime(0))
            .write(toFile: "\(folder.path)/identity", atomically: true, encoding: .utf8)
        let count = isProof ? 1000 : 20
        var random = SystemRandomNumberGenerator()
        for number in 0..<count {
            var builder = BatchBuilder()
            let seed = random.next()
            let size = Int.random(in: 1...300)
            builder.begin(
                BatchHeader(
                    sequence: UInt64(number),
                    bootID: [],
                    wallOffset: .random(in: 0...(1 << 40)),
                    keyDetail: 3,
                    base: EventTime(1000)
                )
            )
            randomOutputs(size, seed: seed, wild: false).forEach { builder.append($0) }
            let batch = builder.pack()
            guard let batch else {
                Issue.record("seed \(seed), size \(size): not packed")
                return
            }
            let content = batch.withPlaintext { Array($0.dropLast(BatchLayout.proofSize)) }
            let sealed = try sealer.seal(batch, after: SealedBatch.noDigest)
            let opened = try AgeFile(sealed.bytes).open([identity])
            #expect(opened.dropLast(BatchLayout.proofSize) == content[...])
            let plaintext = Data(opened)
            #expect(sealed.bytes.count == Sealer.sealedSize)
            let base = "\(folder.path)/\(number)"
            try plaintext.write(to: URL(fileURLWithPath: base + ".plain"))
            try Data(sealed.bytes).write(to: URL(fileURLWithPath: base + ".age"))
        }
        let result = try Program.python(
            """
            import pyrage, subprocess
            secret = [l for l in open('identity') if not l.startswith('#')][0].strip()
            identity = pyrage.x25519.Identity.from_str(secret)
            for n in range(\(count)):
                sealed, plain = (open(f'{n}.{e}', 'rb').read() for e in ('age', 'plain'))
                assert pyrage.decrypt(sealed, [identity]) == plain, n
                age = subprocess.run(['age', '-d', '-i', 'identity', f'{n}.age'],
                                     capture_output=True)
                assert age.returncode == 0 and age.stdout == plain, (n, age.stderr)
            print('equal', \(count))
            """,
            in: folder.path
        )
        #expect(result.code == 0, "\(result.errors)")
        #expect(result.lines == ["equal \(count)"])
    }
}
