// SPDX-License-Identifier: Apache-2.0

import Events
import Foundation
import Person
import Sealing
import System
import Testing
import Timeline

/// `mcictl key` in a throw-away home without a daemon.
@Suite struct KeyTests {
    let folder: TemporaryFolder
    let identity: Identity

    /// A home in which somebody has consented.
    init() throws {
        folder = try TemporaryFolder()
        #expect(
            try Program.run("mcictl", ["consent", "--accept"], environment: folder.environment)
                .code == 0
        )
        let text = String(decoding: try Disk.read(folder.paths.identity), as: UTF8.self)
        identity = try #require(Identity.list(text)?.first)
    }

    private func command(_ arguments: String..., passphrase: String? = nil) throws -> Program.Result
    {
        var environment = folder.environment
        if let passphrase {
            environment["MCI_PASSPHRASE_FILE"] = try file("given", passphrase + "\n")
        }
        return try Program.run("mcictl", arguments, environment: environment)
    }

    private func file(_ name: String, _ text: String) throws -> String {
        let path = "\(folder.path)/\(name)"
        try Disk.write(Array(text.utf8), to: path)
        return path
    }

    /// Protects the identity as `key protect` does, with less work for each guess.
    private func protect(with text: String) throws -> [UInt8] {
        let plain = try Disk.read(folder.paths.identity)
        let bytes = try passphrase(text).seal(plain, workFactor: 4)
        try Disk.write(bytes, to: folder.paths.identity)
        return plain
    }

    /// The private key's characters, as they would lie in a file.
    private var secret: Data {
        get throws {
            let text = identity.file(createdAt: WallTime(0))
            return Data(try #require(text.split(separator: "\n").last).utf8)
        }
    }

    private func mode(_ path: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    }

    private var readers: [String] { Disk.lines(folder.paths.recipients) }
    private var receipt: [String]? {
        get throws { try ControlsFile(folder.paths).read().consent?.recipients }
    }

    // MARK: Protecting

    @Test func `a protected identity lies in the open nowhere and opens in age`()
        throws
    {
        let plain = try Disk.read(folder.paths.identity)
        let word = try file("word", "correct horse\nsecond line\n")
        // What a write that was cut short left behind goes too.
        try Disk.write(plain, to: folder.paths.identity + ".new")
        let result = try command("key", "protect", "--passphrase-file", word)
        #expect(result.code == 0, "\(result.errors)")
        #expect(result.errors.contains("everything recorded is lost"))
        let secret = try secret
        for (name, data) in folder.files(below: "config") {
            #expect(data.range(of: secret) == nil, "\(name)")
        }
        let names = folder.files(below: "config/mci").keys.sorted()
        #expect(names == ["identity", "lock", "public/marks", "public/recipients"])
        #expect(try mode(folder.paths.identity) == 0o600)
        // Debian's age asks for the passphrase of such an identity file by itself.
        try Program.run(
            "age",
            ["-r", identity.recipient, "-o", "\(folder.path)/sealed", word]
        )
        let age = try PseudoTerminal.run(
            "age",
            [
                "-d", "-i", folder.paths.identity, "-o", "\(folder.path)/out",
                "\(folder.path)/sealed",
            ],
            environment: folder.environment,
            [.answer("passphrase", "correct horse\n")]
        )
        #expect(age.code == 0, "\(age.output)")
        #expect(try Disk.read("\(folder.path)/out") == Disk.read(word))
        let shown = try command("key", "show", "--json").json
        #expect(shown["isProtected"] as? Bool == true && shown["keys"] == nil)
    }

    @Test(arguments: [
        ["key", "unprotect"], ["key", "rotate", "--yes"], ["key", "show", "--open"], ["log"],
        ["report"],
        ["watch"],
        ["export"], ["key", "protect", "--passphrase-file", "/dev/null"],
    ])
    func `a wrong passphrase is one sentence and changes nothing`(arguments: [String]) throws {
        _ = try protect(with: "right")
        let before = folder.files()
        var environment = folder.environment
        let given = try Program.run("mktemp", ["-p", "/tmp", "mci-XXXXXX"]).lines[0]
        defer { Disk.remove(given) }
        try Disk.write(Array("wr0ng-w0rd\n".utf8), to: given)
        environment["MCI_PASSPHRASE_FILE"] = given
        let result = try Program.run("mcictl", arguments, environment: environment)
        #expect(result.code == 1)
        #expect(result.errors == "error: The passphrase is wrong.\n")
        #expect(result.output.isEmpty)
        var after = folder.files()
        if before["config/mci/lock"] == nil { after["config/mci/lock"] = nil }
        #expect(after == before)
    }

    @Test
    func `without a terminal a passphrase is asked for in a sentence, and empty ones are none`()
        throws
    {
        let plain = try Disk.read(folder.paths.identity)
        let asked = try command("key", "protect")
        #expect(asked.code == 77 && asked.errors.contains("--passphrase-file"))
        for text in ["", "\n", "\nsecond line\n"] {
            let empty = try command("key", "protect", "--passphrase-file", file("empty", text))
            #expect(empty.code == 1 && empty.errors.contains("An empty passphrase"))
        }
        #expect(try command("key", "protect", "--passphrase-file", "/nonexistent").code == 1)
        #expect(try command("key", "unprotect").errors.contains("has no passphrase"))
        #expect(try Disk.read(folder.paths.identity) == plain)
        _ = try protect(with: "word")
        let log = try command("log")
        #expect(log.code == 77 && log.errors.contains("MCI_PASSPHRASE_FILE=FILE"))
    }

    @Test func `a passphrase is changed with the old one, and taken off from standard input`()
        throws
    {
        let plain = try protect(with: "older")
        let sealed = try Disk.read(folder.paths.identity)
        let changed = try command(
            "key",
            "protect",
            "--passphrase-file",
            file("new", "newer\n"),
            passphrase: "older"
        )
        #expect(changed.code == 0, "\(changed.errors)")
        // By a quicker reader than a debug build is.
        let opened = try Program.python(
            """
            import pyrage.passphrase as p
            print(p.decrypt(open('config/mci/identity', 'rb').read(), 'newer').decode(), end='')
            """,
            in: folder.path
        )
        #expect(opened.output.utf8.elementsEqual(plain), "\(opened.errors)")
        try Disk.write(sealed, to: folder.paths.identity)
        for (word, code) in [("newer", Int32(1)), ("older", 0)] {
            let result = try Program.run(
                "mcictl",
                ["key", "unprotect", "--passphrase-file", "-"],
                environment: folder.environment,
                input: "\(word)\n"
            )
            #expect(result.code == code)
            #expect(code == 1 || result.errors.contains("anyone who copies it"))
        }
        #expect(try Disk.read(folder.paths.identity) == plain)
        #expect(try mode(folder.paths.identity) == 0o600)
    }

    @Test func `what reads asks for the passphrase, and consent needs none`() throws {
        _ = try protect(with: "word")
        let opened = try command("log", passphrase: "word")
        #expect(opened.errors.contains("Nothing has been recorded yet"))
        let keys = try command("key", "show", "--open", "--json", passphrase: "word").json
        #expect(keys["keys"] as? [String] == [identity.recipient])
        let before = try Disk.read(folder.paths.recipients)
        let consent = try command("consent", "--accept")
        #expect(consent.code == 0, "\(consent.errors)")
        // It cannot know whose key that is, and says it.
        #expect(consent.errors.contains("  \(identity.recipient)\n"))
        #expect(try Disk.read(folder.paths.recipients) == before)
        #expect(try receipt == [identity.recipient])
        // Without a recipients file only the identity knows.
        Disk.remove(folder.paths.recipients)
        #expect(try command("consent", "--accept").code == 77)
        #expect(try command("consent", "--accept", passphrase: "word").code == 0)
        #expect(readers == [identity.recipient])
    }

    @Test func `a killed change leaves an identity that opens`() throws {
        let plain = try protect(with: "word")
        let sealed = try Disk.read(folder.paths.identity)
        var environment = folder.environment
        environment["MCI_PASSPHRASE_FILE"] = try file("given", "word")
        var (old, new) = (0, 0)
        let rounds = isProof ? 200 : 25
        for round in 0..<rounds {
            try Disk.write(sealed, to: folder.paths.identity)
            let process = Process()
            process.executableURL = URL(fileURLWithPath: try #require(Program.path("mcictl")))
            process.arguments = ["key", "unprotect"]
            process.environment = environment
            (process.standardOutput, process.standardError) = (
                FileHandle.nullDevice, FileHandle.nullDevice
            )
            process.standardInput = FileHandle.nullDevice
            try process.run()
            // From one that had no time to one that had all.
            if round + 1 < rounds {
                usleep(UInt32(80_000 * round / rounds))
                process.end()
            } else {
                process.waitUntilExit()
            }
            let bytes = try Disk.read(folder.paths.identity)
            switch try IdentityFile(bytes) {
            case .plain:
                new += 1
                #expect(bytes == plain, "round \(round)")
            case .protected(let file):
                old += 1
                #expect(try file.open(passphrase("word")) == plain, "round \(round)")
            case nil: Issue.record("round \(round): no identity")
            }
        }
        #expect(old > 0 && new > 0, "\(old) old, \(new) new")
    }

    // MARK: The file

    @Test func `the new file is on disk and judged before the old one goes`() throws {
        let path = try file("secret", "old secret")
        let old = try #require(FileHandle(forReadingAtPath: path))
        let file = try SecretFile(path)
        // Not judged good: nothing has happened.
        #expect(throws: FileError.self) { try file.replace(with: Array("new".utf8)) { _ in false } }
        #expect(try Disk.read(path) == Array("old secret".utf8))
        #expect(!Disk.exists(path + ".new"))
        try file.replace(with: Array("new".utf8)) { written in
            written == Array("new".utf8) && (try? Disk.read(path)) == Array("old secret".utf8)
        }
        #expect(try Disk.read(path) == Array("new".utf8))
        // The old bytes, seen through a descriptor that was open before.
        #expect(try old.readToEnd() == Data(repeating: 0, count: 10))
    }

    @Test func `a linked identity is protected where it lies, and a second name is refused`() throws
    {
        let real = "\(folder.path)/stick"
        try FileManager.default.moveItem(atPath: folder.paths.identity, toPath: real)
        try FileManager.default.createSymbolicLink(
            atPath: folder.paths.identity,
            withDestinationPath: real
        )
        #expect(try command("key", "show", "--json").json["file"] as? String == real)
        _ = try command("key", "show")
        let plain = try Disk.read(real)
        try Disk.write(try passphrase("word").seal(plain, workFactor: 4), to: real)
        #expect(try command("key", "unprotect", passphrase: "word").code == 0)
        #expect(
            try FileManager.default.destinationOfSymbolicLink(atPath: folder.paths.identity) == real
        )
        #expect(try Disk.read(real) == plain)
        // A second name would be overwritten with zeros.
        let second = "\(folder.path)/second"
        let sealed = try passphrase("word").seal(plain, workFactor: 4)
        try Disk.write(sealed, to: real)
        try FileManager.default.linkItem(atPath: real, toPath: second)
        let refused = try command("key", "unprotect", passphrase: "word")
        #expect(refused.code == 1 && refused.errors.contains("second name"))
        #expect(try Disk.read(real) == sealed && Disk.read(second) == sealed)
    }

    @Test func `a link to an identity that is away is not replaced by a new key`() throws {
        let path = folder.paths.identity
        for file in [path, folder.paths.recipients] { Disk.remove(file) }
        let away = "\(folder.path)/stick/identity"
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: away)
        let result = try command("consent", "--accept")
        #expect(result.code == 1 && result.errors.contains("is a link to a missing file"))
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: path) == away)
        #expect(!Disk.exists(folder.paths.recipients))
    }

    @Test func `a backup is never written over anything, and is for the owner alone`() throws {
        let plain = try Disk.read(folder.paths.identity)
        let copy = "\(folder.path)/copy"
        let asked = try command("key", "backup", copy)
        #expect(asked.code == 77 && asked.errors.contains("--no-protect"))
        let result = try command("key", "backup", copy, "--no-protect")
        #expect(result.code == 0, "\(result.errors)")
        #expect(result.errors.contains("same file system"))
        #expect(try Disk.read(copy) == plain)
        #expect(try mode(copy) == 0o600)
        let target = "\(folder.path)/dangling"
        try FileManager.default.createSymbolicLink(
            atPath: "\(folder.path)/link",
            withDestinationPath: target
        )
        for taken in [copy, folder.paths.identity, "\(folder.path)/link", folder.path] {
            let again = try command("key", "backup", taken, "--no-protect")
            #expect(again.code == 1 && again.errors.contains("already"), "\(taken)")
        }
        #expect(!Disk.exists(target))
        #expect(try command("key", "backup").code == 64)
        #expect(try command("key", "backup", "--print", copy).code == 64)
        // A protected identity is copied as it is.
        _ = try protect(with: "word")
        #expect(try command("key", "backup", "\(folder.path)/sealed").code == 0)
        #expect(try Disk.read("\(folder.path)/sealed") == Disk.read(folder.paths.identity))
        #expect(try command("key", "backup", "\(folder.path)/other", "--protect").code == 64)
        #expect(!Disk.exists("\(folder.path)/other"))
    }

    @Test func `a copy of its own passphrase and a copy for paper can be restored`() throws {
        let word = try file("word", "copy word")
        let copy = "\(folder.path)/copy"
        let result = try command("key", "backup", copy, "--passphrase-file", word)
        #expect(result.code == 0, "\(result.errors)")
        #expect(Data(try Disk.read(copy)).range(of: try secret) == nil)
        let plain = try Disk.read(folder.paths.identity)
        let refused = try command("key", "backup", "--print")
        #expect(refused.code == 77 && refused.output.isEmpty)
        #expect(try command("key", "backup", "--print", "--yes").output.utf8.elementsEqual(plain))
        // Paper with a protected key: text that is an identity file as it is.
        _ = try protect(with: "word")
        let paper = try command("key", "backup", "--print", "--yes")
        #expect(paper.output.hasPrefix("-----BEGIN AGE ENCRYPTED FILE-----\n"))
        try Disk.write(Array(paper.output.utf8), to: folder.paths.identity)
        let shown = try command("key", "show", "--open", "--json", passphrase: "word")
        #expect(shown.json["keys"] as? [String] == [identity.recipient])
    }

    @Test func `key show never shows the private key, and warns of open permissions`() throws {
        let secret = String(decoding: try secret, as: UTF8.self)
        for arguments in [["key", "show"], ["key", "show", "--json"], ["key", "show", "--open"]] {
            let result = try Program.run("mcictl", arguments, environment: folder.environment)
            #expect(result.code == 0 && result.output.contains(identity.recipient))
            #expect(!(result.output + result.errors).contains(secret))
        }
        chmod(folder.paths.identity, 0o644)
        let open = try command("key", "show")
        #expect(open.output.contains("mode 0644") && open.errors.contains("chmod 600"))
        Disk.remove(folder.paths.identity)
        #expect(try command("key", "show").errors.contains("Your identity is not at"))
    }

    // MARK: Readers

    @Test func `a reader is added and removed with the consent that names it`() throws {
        let other = Identity().recipient
        try Disk.write(
            Array("# mine\n\(identity.recipient)\n".utf8),
            to: folder.paths.recipients
        )
        let asked = try command("key", "recipients", "add", other)
        #expect(asked.code == 77)
        #expect(asked.errors.contains("\(identity.recipient) (yours)\n  \(other)\n"))
        #expect(try receipt == [identity.recipient])
        let added = try command("key", "recipients", "add", other, "--yes")
        #expect(added.code == 0 && added.output.contains("sealed to 2 keys"), "\(added.errors)")
        #expect(readers == ["# mine", identity.recipient, other])
        #expect(try receipt == [identity.recipient, other])
        let method = try ControlsFile(folder.paths).read().consent?.collectionMethod
        #expect(method == "mcictl key recipients add --yes")
        #expect(try command("key", "recipients").lines == [identity.recipient, other])
        // A new consent keeps the readers, and names them before it asks.
        let consent = try command("consent")
        #expect(consent.code == 77 && consent.errors.contains(other))
        #expect(try command("consent", "--accept").code == 0)
        #expect(try receipt == [identity.recipient, other])
        #expect(try command("key", "recipients", "add", other, "--yes").code == 1)
        let own = try command("key", "recipients", "remove", identity.recipient, "--yes")
        #expect(own.code == 77 && own.errors.contains("could not read your own"))
        #expect(try command("key", "recipients", "remove", other, "--yes").code == 0)
        #expect(try command("key", "recipients", "remove", other, "--yes").code == 1)
        #expect(try receipt == [identity.recipient])
        #expect(readers == ["# mine", identity.recipient])
    }

    @Test func `a change of readers brings no withdrawn consent to life`() throws {
        #expect(try command("consent", "--withdraw").code == 0)
        let added = try command("key", "recipients", "add", Identity().recipient, "--yes")
        #expect(added.code == 0 && added.output.contains("No consent is in force"))
        #expect(try receipt == nil)
        #expect(try command("key", "rotate", "--yes").code == 0)
        #expect(try receipt == nil)
    }

    @Test func `no key is added that is none, or that nothing can be sealed to`() throws {
        let zero = Bech32.encode(prefix: "age", [UInt8](repeating: 0, count: 32))
        let one = Bech32.encode(prefix: "age", [1] + [UInt8](repeating: 0, count: 31))
        let secret = String(decoding: try secret, as: UTF8.self)
        for bad in [zero, one, "age1", "ssh-ed25519 AAAA", identity.recipient.uppercased(), ""] {
            let result = try command("key", "recipients", "add", bad, "--yes")
            #expect(result.code == 64, "\(bad)")
        }
        // Whoever gives the private key by mistake does not read it in an error.
        let mistake = try command("key", "recipients", "add", secret, "--yes")
        #expect(mistake.code == 64 && !mistake.errors.contains(secret.suffix(20)))
        #expect(readers == [identity.recipient])
    }

    @Test func `eight can read and no more`() throws {
        var file = RecipientsFile(key: identity.recipient)
        for _ in 2...8 { try file.add(Identity().recipient) }
        #expect(throws: RecipientsFile.Objection.tooMany) { try file.add(Identity().recipient) }
        #expect(RecipientsFile(file.bytes) == file && file.keys.count == 8)
        #expect(RecipientsFile(Array("age1nonsense\n".utf8)) == nil)
        #expect(RecipientsFile([]) == nil)
    }

    @Test func `a new key stands in front, and the old one still reads`() throws {
        let other = Identity().recipient
        #expect(try command("key", "recipients", "add", other, "--yes").code == 0)
        let asked = try command("key", "rotate")
        #expect(asked.code == 77)
        #expect(readers == [identity.recipient, other])
        let result = try command("key", "rotate", "--yes")
        #expect(result.code == 0 && result.errors.contains("out of date"), "\(result.errors)")
        let text = String(decoding: try Disk.read(folder.paths.identity), as: UTF8.self)
        let keys = try #require(Identity.list(text)).map(\.recipient)
        #expect(keys.count == 2 && keys[1] == identity.recipient)
        #expect(readers == [keys[0], other])
        #expect(try receipt == [keys[0], other])
        #expect(try mode(folder.paths.identity) == 0o600)
        // Debian's age takes the file and knows both.
        #expect(try Program.run("age-keygen", ["-y", folder.paths.identity]).lines == keys)
    }

    @Test func `a killed rotation never leaves a reader whose key is not on disk`() throws {
        var known = [identity.recipient]
        for round in 0..<(isProof ? 200 : 25) {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: try #require(Program.path("mcictl")))
            process.arguments = ["key", "rotate", "--yes"]
            process.environment = folder.environment
            process.standardOutput = FileHandle.nullDevice
            process.standardError = FileHandle.nullDevice
            process.standardInput = FileHandle.nullDevice
            try process.run()
            usleep(UInt32.random(in: 0...80_000))
            process.end()
            let text = String(decoding: try Disk.read(folder.paths.identity), as: UTF8.self)
            let keys = try #require(Identity.list(text), "round \(round)").map(\.recipient)
            #expect(known.allSatisfy(keys.contains), "round \(round)")
            #expect(readers.count == 1 && readers.allSatisfy(keys.contains), "round \(round)")
            known = keys
        }
        #expect(try command("key", "rotate", "--yes").code == 0)
        #expect(try receipt == readers)
    }

    @Test func `what the daemon refuses is taken back`() throws {
        let socket = folder.paths.socket
        try Disk.makeFolder(folder.paths.runtime)
        let script = """
            import json, os, socket
            s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            s.bind('\(socket).2'); s.listen(16); os.rename('\(socket).2', '\(socket)')
            while True:
                c, _ = s.accept()
                data = b''
                while not data.endswith(b'\\0'):
                    data += c.recv(4096) or b'\\0'
                c.sendall(json.dumps({'error': 'io.mci.Control.Refused', 'parameters':
                    {'reason': 'Not today.', 'next': ''}}).encode() + b'\\0')
                c.close()
            """
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try #require(Program.path("python3")))
        process.arguments = ["-c", script]
        process.environment = ProcessInfo.processInfo.environment
        try process.run()
        defer { process.end() }
        try #require(eventually { Disk.exists(socket) })
        let before = try Disk.read(folder.paths.recipients)
        let result = try command("key", "recipients", "add", Identity().recipient, "--yes")
        #expect(result.code == 77 && result.errors.contains("error: Not today."))
        #expect(try Disk.read(folder.paths.recipients) == before)
        #expect(try command("key", "rotate", "--yes").code == 77)
        #expect(try Disk.read(folder.paths.recipients) == before)
        #expect(try receipt == [identity.recipient])
        // The daemon may have sealed to the new key meanwhile: it is kept.
        let text = String(decoding: try Disk.read(folder.paths.identity), as: UTF8.self)
        #expect(try #require(Identity.list(text)).count == 2)
    }

    // MARK: The terminal

    @Test func `a passphrase is asked for twice and not shown`() throws {
        let plain = try Disk.read(folder.paths.identity)
        let different = try PseudoTerminal.run(
            "mcictl",
            ["key", "protect"],
            environment: folder.environment,
            [.answer("New passphrase", "tell no one\n"), .answer("Repeat it", "tell noone\n")]
        )
        #expect(different.code == 1 && different.output.contains("passphrases differ"))
        #expect(different.echo == [false, false] && different.echoAfter)
        #expect(!different.output.contains("tell no"))
        #expect(try Disk.read(folder.paths.identity) == plain)
        _ = try protect(with: "tell no one")
        let opened = try PseudoTerminal.run(
            "mcictl",
            ["key", "unprotect"],
            environment: folder.environment,
            [.answer("Passphrase of your identity: ", "tell no one\n")]
        )
        #expect(opened.code == 0 && opened.output.contains("is no longer protected"))
        #expect(opened.echo == [false] && opened.echoAfter)
        #expect(!opened.output.contains("tell no"))
        #expect(try Disk.read(folder.paths.identity) == plain)
    }

    @Test(arguments: [SIGINT, SIGTERM, SIGHUP, SIGQUIT])
    func `an interrupted question leaves the terminal as it was`(signal: Int32) throws {
        let plain = try protect(with: "word")
        let killed = try PseudoTerminal.run(
            "mcictl",
            ["key", "unprotect"],
            environment: folder.environment,
            [.signal("Passphrase of your identity: ", signal)]
        )
        #expect(killed.echo == [false] && killed.echoAfter)
        #expect(killed.code == -signal)
        guard signal == SIGINT else { return }
        // Ctrl+C typed, and Ctrl+D.
        for (key, code) in [("\u{3}", -SIGINT), ("\u{4}", 1)] {
            let typed = try PseudoTerminal.run(
                "mcictl",
                ["key", "unprotect"],
                environment: folder.environment,
                [.answer("Passphrase of your identity: ", key)]
            )
            #expect(typed.code == code && typed.echoAfter)
        }
        // A stop asks again.
        let stopped = try PseudoTerminal.run(
            "mcictl",
            ["key", "unprotect"],
            environment: folder.environment,
            [
                .signal("Passphrase of your identity: ", SIGTSTP),
                .answer("Passphrase of your identity: ", "wrong\n"),
            ]
        )
        #expect(stopped.code == 1 && stopped.output.contains("wrong."))
        #expect(stopped.echo == [false, false] && stopped.echoAfter)
        #expect(try Disk.read(folder.paths.identity) != plain)
    }
}
