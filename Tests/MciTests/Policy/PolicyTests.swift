// SPDX-License-Identifier: Apache-2.0

import Events
import Foundation
import Gate
import Person
import Policy
import System
import Testing

@Suite struct PolicyTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private var minimal: String {
        "{\"schema\":1,\"purpose\":\"p\",\"controller\":\"c\",\"contact\":\"x\"}"
    }

    private func policy(_ text: String) throws(PolicyError) -> ManagedPolicy {
        try ManagedPolicy(Array(text.utf8), path: "/etc/mci/policy.json")
    }

    private func sentences(_ text: String) -> [String] {
        do throws(PolicyError) {
            _ = try policy(text)
            return []
        } catch {
            return error.sentences
        }
    }

    @Test func `every field means what it says`() throws {
        let policy = try policy(Draft.policy.written())
        #expect(policy.purpose == "Training data for a model that helps with spreadsheets")
        #expect(policy.lawfulBasis == .consent && policy.keyDetail == .activity)
        #expect(policy.notice == "It ends on 31 March.\nTaking part is up to you.")
        #expect(policy.retention == 7 * 86_400 && policy.ringSize == 64 << 20)
        #expect(policy.titles == false && policy.pauseCap == 8 * 3600)
        #expect(policy.exclude.count == 4)
        #expect(
            policy.exclude[0]
                == Rule(
                    app: Glob("firefox*"),
                    title: Glob("*Bank*"),
                    device: Glob("AT *"),
                    during: WeekHours("Mon-Fri 12:00-13:00")
                )
        )
        #expect(policy.exclude[3] == Rule(asker: SecretAsker("example-login*")))
        #expect(policy.only == [Glob("firefox*"), Glob("libreoffice*")])
        #expect(policy.stewards.map(\.name) == ["Officer", "Council"])
        #expect(
            policy.stewards[1].key.text
                == "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
        )
        var expected = Restrictions()
        expected.keyDetail = .activity
        expected.exclusions = Set(policy.exclude)
        expected.allowlists = [Set(policy.only)]
        expected.storesTitles = false
        expected.recordsSyntheticKeys = false
        expected.retention = 7 * 86_400
        expected.ringSize = 64 << 20
        #expect(policy.restrictions == expected)
    }

    @Test func `a policy without limits restricts nothing`() throws {
        let policy = try policy(minimal)
        #expect(policy.restrictions == Restrictions())
        #expect(policy.pauseCap == nil && policy.stewards.isEmpty)
    }

    @Test func `the hash is the one that sha256sum finds`() throws {
        let path = "\(folder.path)/policy.json"
        try Disk.write(Array(Draft.policy.written().utf8), to: path)
        let policy = try #require(try PolicyFile(path).read())
        let sum = try Program.run("sha256sum", [path])
        #expect(sum.output.hasPrefix(policy.hash + " "))
        // A byte in a free text is no defect, and yet another policy.
        let other = try self.policy(
            Draft.policy.written().replacingOccurrences(of: "spreadsheets", with: "spreadsheetz")
        )
        #expect(other.restrictions == policy.restrictions && other.hash != policy.hash)
    }

    @Test func `all defects are named in the order of their lines`() {
        let text = """
            {
              "schema": 1,
              "purpose": "p",
              "controller": "",
              "retain": "7d",
              "pauseCap": "29m",
              "exclude": [
                {},
                {"app": "x", "hours": "Mon"}
              ]
            }
            """
        let path = "/etc/mci/policy.json"
        #expect(
            sentences(text) == [
                "\(path), line 1: contact is missing from a policy.",
                "\(path), line 4: controller is empty.",
                "\(path), line 5: “retain” is not a key of a policy. Did you mean retention?",
                "\(path), line 6: pauseCap is “29m”, not a duration from 30m to 366d, such as 4h: "
                    + "everyone may pause for half an hour.",
                "\(path), line 8: An empty rule would exclude everything. Name an app, a title, a "
                    + "device, hours or an asker; to record nothing, do not install mci.",
                "\(path), line 9: “hours” is not a key of a rule. The keys are app, title, device, "
                    + "during, asker.",
            ]
        )
        #expect(sentences("[]") == ["\(path), line 1: A policy must be an object in { }."])
    }

    @Test func `amounts are read back from their words`() {
        for seconds in [1, 59, 60, 90, 3600, 86_399, 86_400, 90_061, 366 * 86_400] {
            #expect(Quantity.seconds(Quantity.duration(seconds)) == seconds)
        }
        for bytes in [1 << 10, 3 << 20, 1536 << 20, 64 << 30, 1 << 40] {
            #expect(Quantity.bytes(Quantity.size(bytes)) == bytes)
        }
        #expect(Quantity.seconds("1h30m") == 5400 && Quantity.seconds("999999d999999d") != nil)
        #expect(Quantity.bytes("64MiB") == 64 << 20 && Quantity.bytes("999999999T") == nil)
        #expect(Quantity.seconds(String(repeating: "999999d", count: 1000)) == nil)
    }

    @Test func `what is written of a policy reads as the same policy`() throws {
        for text in [Draft.policy.written(), minimal] {
            let one = try policy(text)
            var two = try ManagedPolicy(Array(JSONEncoder().encode(one)), path: "/p")
            two.hash = one.hash
            #expect(one == two)
        }
    }

    @Test func `keys of small order are found by arithmetic, and refused`() throws {
        // Every point whose order divides 8, by adding a point of order 8 to itself.
        let script = """
            p = 2**255 - 19; d = -121665 * pow(121666, -1, p) % p
            def root(y):
                x2 = (y*y-1) * pow(d*y*y+1, -1, p) % p
                x = pow(x2, (p+3)//8, p)
                if (x*x - x2) % p: x = x * pow(2, (p-1)//4, p) % p
                return x if (x*x - x2) % p == 0 else None
            def add(a, b):
                (x, y), (u, v) = a, b; t = d*x*u*y*v
                return ((x*v+y*u) * pow(1+t, -1, p) % p, (y*v+x*u) * pow(1-t, -1, p) % p)
            def times(n, a):
                r = (0, 1)
                while n:
                    if n & 1: r = add(r, a)
                    a = add(a, a); n >>= 1
                return r
            order = 2**252 + 27742317777372353535851937790883648493
            found = set(); y = 2
            while len(found) < 8:
                y += 1; x = root(y)
                if x is None: continue
                q = times(order, (x, y)); r = (0, 1)
                for _ in range(8): found.add(r); r = add(r, q)
            for x, y in found:
                for n in (y, y + p):
                    if n < 2**255:
                        for sign in (0, 1): print((n | sign << 255).to_bytes(32, 'little').hex())
            """
        let weak = try Program.python(script, in: folder.path)
        // y of 0, 1, −1 and of four points of order 8 in pairs; 0 and 1 have a second encoding.
        #expect(Set(weak.lines).count == 14, "\(weak.errors)")
        for key in weak.lines { #expect(StewardKey(key) == nil, "\(key)") }
        let good = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
        #expect(StewardKey(good)?.text == good)
        #expect(StewardKey(good.uppercased())?.text == good)
    }

    @Test func `the notice names who, why, and everything that is limited`() throws {
        let notice = try policy(Draft.policy.written()).noticeSection
        for part in [
            "Example GmbH", "privacy@example.org", "spreadsheets", "Your consent.", "“activity”",
            "kept for 7d", "64M", "no window titles", "application firefox*, title *Bank*",
            "Sat-Sun", "prompts of the program example-login*", "libreoffice*", "8h", "Officer",
            "Council", "31 March.\n",
        ] {
            let flat = notice.replacingOccurrences(of: "\n                   ", with: " ")
            #expect(notice.contains(part) || flat.contains(part), "\(part)")
        }
        #expect(notice.split(separator: "\n").allSatisfy { $0.count <= 100 })
        let short = try policy(minimal).noticeSection
        #expect(short.split(separator: "\n").count == 3, "\(short)")
    }

    // MARK: The file

    @Test func `a file that somebody else could write is refused, and none is nil`() throws {
        let path = "\(folder.path)/policy.json"
        #expect(try PolicyFile(path).read() == nil)
        func refusal(_ file: PolicyFile) -> String {
            do throws(PolicyError) {
                return try file.read() == nil ? "none" : "read"
            } catch {
                return error.description
            }
        }
        try minimal.write(toFile: path, atomically: false, encoding: .utf8)
        for (mode, isTrusted) in [(0o644, true), (0o600, true), (0o664, false), (0o606, false)] {
            chmod(path, mode_t(mode))
            let text = refusal(PolicyFile(path))
            #expect((text == "read") == isTrusted, "\(text)")
            if !isTrusted {
                #expect(
                    text
                        == "\(path): Other users than its owner can change it. Next: sudo chmod 644 \(path)"
                )
            }
        }
        chmod(path, 0o644)
        if getuid() == 0 {
            chown(path, 12345, 0)
            #expect(refusal(PolicyFile(path)).hasPrefix("\(path): It belongs to user 12345"))
        }
        unlink(path)
        // Neither a link to nowhere nor a pipe is the same as no policy.
        #expect(PolicyFile(path).fingerprint == nil)
        symlink("/nowhere/at/all", path)
        #expect(PolicyFile(path).fingerprint != nil)
        #expect(refusal(PolicyFile(path)).hasPrefix("\(path): It cannot be read"))
        unlink(path)
        mkfifo(path, 0o600)
        #expect(refusal(PolicyFile(path)) == "\(path): It is not a regular file.")
        unlink(path)
        mkdir(path, 0o700)
        #expect(refusal(PolicyFile(path)) == "\(path): It is not a regular file.")
    }

    @Test func `a file of one's own counts only where there is no policy`() throws {
        let (path, own) = ("\(folder.path)/policy.json", "\(folder.path)/own.json")
        let file = PolicyFile(path, otherwise: own)
        #expect(throws: PolicyError.self) { try file.read() }
        #expect(throws: PolicyError.self) { try PolicyFile(path, otherwise: "own.json").read() }
        try Disk.write(Array(minimal.utf8), to: own)
        #expect(try file.read()?.purpose == "p" && file.current == own)
        let before = file.fingerprint
        try Disk.write(Array(Draft.policy.written().utf8), to: path)
        #expect(try file.read()?.keyDetail == .activity && file.current == path)
        #expect(before != nil && file.fingerprint != before)
        // Damaged, it is still the policy.
        try Disk.write(Array("{".utf8), to: path)
        #expect(throws: PolicyError.self) { try file.read() }
        let paths = Paths(environment: ["MCI_POLICY": own, "HOME": "/h"])
        #expect(paths.policy == PolicyFile("/etc/mci/policy.json", otherwise: own))
    }
}
