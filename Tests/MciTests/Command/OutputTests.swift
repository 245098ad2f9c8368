// SPDX-License-Identifier: Apache-2.0

import Export
import Foundation
import Person
import System
import Testing

/// Where commands write: files, pipes, devices, terminals and full disks.
@Suite struct OutputTests {
    private let ring: SyntheticRing
    private var home: String { ring.folder.path }
    private var environment: [String: String]

    /// All that a terminal or a reader could take for a command.
    private static let commands = String(
        String.UnicodeScalarView(
            (Array(0x01...0x1F) + Array(0x7F...0x9F) + [0x2028, 0x202E, 0x2066])
                .compactMap { Unicode.Scalar($0) }
        )
    )

    init() throws {
        ring = try SyntheticRing()
        try ring.put(minute: 0, app: "Quuxophone")
        environment = ring.folder.environment
        environment["PYTHONPATH"] = Program.root + "/.build-python"
    }

    private func command(_ arguments: String...) throws -> Program.Result {
        try Program.run("mcictl", arguments, environment: environment)
    }

    /// Runs a line of shell, in which `mcictl` is the program.
    private func shell(_ line: String) throws -> Program.Result {
        let mcictl = try #require(Program.path("mcictl"))
        let script = "cd \(home); mcictl() { \(mcictl) \"$@\"; }; \(line)"
        // The shell waits for its children by a signal that a thread of the tests may have blocked.
        let words = Program.unblocking + ["/bin/sh", "-c", script]
        return try Program.run(words[0], Array(words.dropFirst()), environment: environment)
    }

    private func text(_ name: String) throws -> String {
        try String(contentsOfFile: "\(home)/\(name)", encoding: .utf8)
    }

    private func kind(_ path: String) -> mode_t {
        var facts = stat()
        return lstat(path, &facts) == 0 ? facts.st_mode & S_IFMT : 0
    }

    // MARK: What is no file

    @Test func `what is no file is written into, and stays what it is`() throws {
        let whole = try command("export").output
        #expect(whole.contains("Quuxophone"))
        mkfifo("\(home)/pipe", 0o600)
        let piped = try shell("timeout 60 cat pipe > got & mcictl export --out pipe; wait")
        #expect(piped.code == 0, "\(piped.errors)")
        #expect(try text("got") == whole && kind("\(home)/pipe") == S_IFIFO)
        for name in ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"] {
            let result = try shell("mcictl export --out \(name)")
            #expect(result.code == 0 && result.output == whole, "\(name): \(result.errors)")
        }
        // What was in the file before stays, by a link too.
        symlink("/dev/stdout", "\(home)/out")
        let added = try shell("echo before > log; mcictl export --out out >> log")
        #expect(added.code == 0 && kind("\(home)/out") == S_IFLNK)
        #expect(try text("log") == "before\n" + whole)
        #expect(try command("export", "--out", "/dev/null").code == 0)
        #expect(kind("/dev/null") == S_IFCHR)
        // A reader that went away.
        let gone = try shell(
            "cat pipe > /dev/null & exec 3> pipe; kill -9 $!; wait; mcictl export --out /dev/fd/3"
        )
        #expect(gone.code == 1 && gone.errors.contains("Broken pipe"), "\(gone.errors)")
        let bundle = try shell(
            "timeout 60 cat pipe > got & mcictl doctor --bundle pipe > /dev/null; wait; cat got"
        )
        #expect(bundle.output.contains("\"findings\"") && kind("\(home)/pipe") == S_IFIFO)
        #expect(try shell("mcictl doctor --bundle -").json["schema"] as? Int == 1)
        #expect(!Disk.exists("\(home)/-"))
    }

    @Test(arguments: ["/dev/full", "FOLDER", "SOCKET", "FOLDER/none/x", "FOLDER/nowhere"])
    func `what takes nothing is a sentence, and stays what it is`(target: String) throws {
        let socket = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: "\(home)/socket".utf8) }
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(bound == 0)
        symlink("\(home)/none/y", "\(home)/nowhere")
        let path =
            target == "SOCKET"
            ? "\(home)/socket" : target.replacingOccurrences(of: "FOLDER", with: home)
        let before = (kind(path), Set(ring.folder.names()))
        for words in [
            ["export", "--out", path], ["doctor", "--bundle", path],
            ["key", "backup", path, "--no-protect"],
            ["steward", "keygen", "--out", path],
        ] {
            let result = try Program.run("mcictl", words, environment: environment)
            #expect(result.code == 1, "\(words)")
            #expect(
                result.errors.contains("error: ") && !result.errors.contains("Fatal"),
                "\(words)"
            )
            #expect(kind(path) == before.0, "\(words)")
            #expect(Set(ring.folder.names()) == before.1, "\(words)")
        }
    }

    @Test func `a private key goes to no standard output by mistake`() throws {
        for words in ["key backup -", "steward keygen --out -"] {
            let result = try shell("mcictl \(words)")
            #expect(result.code == 64 && result.output.isEmpty, "\(words)")
        }
        #expect(!Disk.exists("\(home)/-"))
    }

    // MARK: Standard output

    @Test(arguments: ["> /dev/full", ">&-"])
    func `a standard output that takes nothing is said by every verb`(how: String) throws {
        #expect(try command("consent", "--accept").code == 0)
        for verb in [
            "", "--help", "--version", "help", "status", "status --json", "consent --show",
            "consent --show --json", "pause 1h", "pause 1h --json", "resume", "exempt add --app x",
            "exempt list", "exempt test --app x", "exempt export 1", "exempt withdraw 1",
            "exclude list", "exclude add --app y", "explain --app x", "log", "log --json", "export",
            "export --format csv", "query 'SELECT 1'", "query --json 'SELECT 1'",
            "forget --last 1m --dry-run", "set", "set title off", "set retention 3d", "key show",
            "key recipients", "policy show", "policy check", "doctor", "doctor --bundle -",
            "--generate-completion-script bash",
        ] {
            let result = try shell("mcictl \(verb) \(how)")
            #expect(result.code == 1, "\(verb): \(result.errors)")
            #expect(
                result.errors.contains("error: Standard output cannot be written (")
                    || verb.hasSuffix("-") && result.errors.contains("written to - (write: "),
                "\(verb): \(result.errors)"
            )
        }
        // What was printed went into no file that happened to have the number.
        #expect(try command("export").output.contains("Quuxophone"))
    }

    // MARK: A full disk

    @Test func `on a full disk every verb that writes says so and changes nothing`() throws {
        #expect(try command("consent", "--accept").code == 0)
        #expect(try command("exempt", "add", "--app", "before").code == 0)
        var full = environment
        full["LD_PRELOAD"] = try Shim.fullDisk(in: home)
        try Disk.write(Array("before".utf8), to: "\(home)/e.csv")
        let config = ring.folder.files(below: "config")
        let controls = try Disk.read(ring.folder.paths.controls)
        for words in [
            ["export", "--out", "\(home)/e.csv"], ["export", "--out", "\(home)/e.parquet"],
            ["doctor", "--bundle", "\(home)/b"], ["key", "backup", "\(home)/k", "--no-protect"],
            ["steward", "keygen", "--out", "\(home)/s"], ["set", "title", "off"],
            ["set", "retention", "3d"], ["pause", "1h"], ["exempt", "add", "--app", "x"],
            ["exempt", "withdraw", "1"], ["exclude", "add", "--app", "x"],
            ["consent", "--withdraw"], ["consent", "--accept"], ["key", "rotate", "--yes"],
        ] {
            let result = try Program.run("mcictl", words, environment: full)
            #expect(result.code == 1, "\(words)")
            #expect(result.errors.contains("error: "), "\(words): \(result.errors)")
            #expect(!result.errors.contains("Traceback"), "\(words): \(result.errors)")
            #expect(!result.errors.contains("writes a new one"), "\(words): \(result.errors)")
            #expect(try Disk.read(ring.folder.paths.controls) == controls, "\(words)")
            var after = ring.folder.files(below: "config")
            if config["mci/lock"] == nil { after["mci/lock"] = nil }
            #expect(after == config, "\(words)")
            for name in ["e.parquet", "b", "k", "s"] { #expect(!Disk.exists("\(home)/\(name)")) }
            #expect(!ring.folder.names().contains { $0.hasPrefix(".mci") }, "\(words)")
        }
        #expect(try text("e.csv") == "before")
    }

    // MARK: Killed

    @Test(arguments: [SIGINT, SIGTERM, SIGHUP, SIGKILL])
    func `an export that is killed at any moment leaves no plaintext`(signal: Int32) throws {
        for minute in 1..<60 {
            try ring.put(
                minute: Int64(minute),
                app: "Quuxophone \(minute)",
                times: Array(stride(from: 0, to: 50_000, by: 500))
            )
        }
        let shim = try Shim.noUnnamedFiles(in: home)
        let mcictl = try #require(Program.path("mcictl"))
        let target = "\(home)/keep.jsonl"
        // Two targets: one that is new, and one that is replaced.
        try Disk.write(Array("mine".utf8), to: "\(home)/there.jsonl")
        let before = Set(ring.folder.names())
        let script = """
            import os, random, signal, subprocess, sys, time
            mcictl, folder, shim, number, count = sys.argv[1:4] + [int(a) for a in sys.argv[4:]]
            signal.pthread_sigmask(signal.SIG_SETMASK, [])
            for s in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(s, signal.SIG_DFL)
            def names():
                return {os.path.join(d, f) for d, _, fs in os.walk(folder) for f in fs
                        if not f.endswith(".quality.json")}
            def run(out, env):
                return subprocess.Popen([mcictl, "export", "--out", folder + "/" + out], env=env,
                    stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            start = time.monotonic(); whole = run("keep.jsonl", dict(os.environ)); whole.wait()
            length = time.monotonic() - start
            assert whole.returncode == 0
            os.unlink(folder + "/keep.jsonl")
            before, killed, whole = names(), 0, 0
            for i in range(count):
                env = dict(os.environ)
                if i % 2: env["LD_PRELOAD"] = shim
                out = "there.jsonl" if i % 4 >= 2 else "keep.jsonl"
                p = run(out, env)
                time.sleep(random.random() * length * 1.2)
                p.send_signal(number)
                p.wait()
                new = names() - before
                # At a SIGKILL what has a name is removed by another process.
                end = time.monotonic() + 60
                while number == signal.SIGKILL and any(".mci-" in n for n in new) \\
                        and time.monotonic() < end:
                    time.sleep(0.002)
                    new = names() - before
                if p.returncode == 0:
                    whole += 1
                    if out == "keep.jsonl":
                        assert new == {folder + "/keep.jsonl"}, new
                        os.unlink(folder + "/keep.jsonl")
                    else: assert not new, new
                else:
                    assert p.returncode == -number, p.returncode
                    killed += 1
                    # It may have been whole a moment before its end.
                    new -= {folder + "/keep.jsonl"}
                    assert not new, (i, new)
                    if os.path.exists(folder + "/keep.jsonl"):
                        assert open(folder + "/keep.jsonl").read()[-2:] == "}\\n"
                        os.unlink(folder + "/keep.jsonl")
                with open(folder + "/there.jsonl", "r+") as f:
                    text = f.read()
                    assert text == "mine" or text[-2:] == "}\\n", text[-20:]
                with open(folder + "/there.jsonl", "w") as f: f.write("mine")
            print(killed, "killed,", whole, "whole")
            """
        let result = try Program.run(
            "python3",
            ["-c", script, mcictl, home, shim, "\(signal)", isProof ? "170" : "8"],
            environment: environment
        )
        #expect(result.code == 0, "\(result.errors)")
        print("export ended by signal \(signal): \(result.output)", terminator: "")
        // What lies beside an export says how good it is, and nothing of what was recorded.
        let names = ring.folder.names().filter { !$0.hasSuffix(".quality.json") }
        #expect(Set(names) == before && !Disk.exists(target))
    }

    // MARK: Endings

    @Test(
        arguments: [
            ("a.jsonl", [], "{"), ("a.NDJSON", [], "{"), ("a.csv", [], "time,"), ("a", [], "{"),
            ("dir.csv/a", [], "{"), (".csv", [], "{"), ("a.yml", [], "# Made"),
            ("a.yaml", [], "# Made"), ("a.jsonl", ["--format", "ducktrack"], ""),
            ("a.txt", ["--format", "csv"], "time,"), ("a.csv", ["--format", "csv"], "time,"),
            ("a.xyz", [], nil), ("a.json", [], nil), ("a.csv.part", [], nil), ("a.", [], nil),
            ("a.csv", ["--json"], nil), ("a.parquet", ["--format", "csv"], nil),
            ("a.jsonl", ["--format", "libinput"], nil), ("a.yml", ["--format", "jsonl"], nil),
            ("a.jsonl", ["--json", "--format", "csv"], nil),
        ] as [(String, [String], String?)]
    )
    func `the ending and the format agree, or it is wrong usage`(
        name: String,
        options: [String],
        beginning: String?
    ) throws {
        try Disk.makeFolder("\(home)/dir.csv")
        let result = try Program.run(
            "mcictl",
            ["export", "--out", "\(home)/\(name)"] + options,
            environment: environment
        )
        #expect(result.code == (beginning == nil ? 64 : 0), "\(result.errors)")
        guard let beginning else {
            #expect(result.errors.contains("error: ") && !Disk.exists("\(home)/\(name)"))
            return
        }
        #expect(try text(name).hasPrefix(beginning))
    }

    // MARK: Texts that are commands

    @Test func `no text of a recording reaches a terminal as a command`() throws {
        try ring.put(minute: 1, app: "a\(Self.commands)b")
        let isCommand = { (scalar: Unicode.Scalar) in
            switch scalar.value {
            case 0x0A, 0x0D: false
            case 0..<0x20, 0x7F...0x9F, 0x2028, 0x202E, 0x2066: true
            default: false
            }
        }
        for words in [
            ["export"], ["export", "--format", "csv"], ["export", "--format", "ducktrack"],
            ["export", "--format", "libinput"], ["export", "--format", "csv", "--out", "/dev/tty"],
            ["export", "--out", "-"], ["log"], ["log", "--json"], ["log", "--keys"],
            ["query", "SELECT app FROM events"], ["query", "--json", "SELECT app FROM events"],
            ["query", "--format", "csv", "SELECT app FROM events"],
        ] {
            let shown = try PseudoTerminal.run("mcictl", words, environment: environment, [])
            #expect(shown.code == 0, "\(words): \(shown.output)")
            #expect(!shown.output.unicodeScalars.contains(where: isCommand), "\(words)")
        }
        // Written to a file the text is exact, and JSON says the same in either way.
        let line = try #require(try command("export").objects.last { $0["app"] != nil })
        #expect(line["app"] as? String == "a\(Self.commands)b")
        #expect(try command("export", "--format", "csv").output.contains(Self.commands))
        // Words of a policy or a steward come the same way.
        let exempt = ["exempt", "add", "--title", "x\u{9B}31m\u{202E}", "--json"]
        let said = try Program.run("mcictl", exempt, environment: environment)
        #expect(!said.output.unicodeScalars.contains(where: isCommand), "\(said.output)")
        let scope = (said.json["exemption"] as? [String: Any])?["scope"] as? [String: Any]
        #expect(scope?["title"] as? String == "x\u{9B}31m\u{202E}")
    }

    /// Takes the apostrophes away again, as Documentation/Reading.md says.
    private static func undone(_ cell: String) -> String {
        cell.replacing(#/(^|[;\t\r\n])'/#.matchingSemantics(.unicodeScalar)) { "\($0.output.1)" }
    }

    @Test func `no text of CSV is a formula, whatever begins a cell, and each can be undone`()
        throws
    {
        for (text, cell) in [
            ("=1+1", "'=1+1"), ("+1", "'+1"), ("-1", "'-1"), ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t'=1"), ("\r=1", "'\r'=1"), ("  =1", "'  =1"), ("\"=1", "'\"=1"),
            ("x;=1", "x;'=1"), ("x; \"=1", "x;' \"=1"), ("x\n=1", "x\n'=1"), ("'x", "''x"),
            ("'=1", "''=1"), ("＝1", "'＝1"), ("\u{200B}=1", "'\u{200B}=1"), ("a=1", "a=1"),
            ("it's", "it's"), ("", ""), ("2-1", "2-1"),
        ] {
            #expect(SafeText.cell(text) == cell, "\(text)")
            #expect(Self.undone(cell) == text, "\(text)")
        }
        let letters = Array("=+-@'\";\t\r\n ax\u{FF1D}\u{200B}").map(String.init)
        for _ in 0..<5000 {
            let text = (0..<Int.random(in: 0...8)).map { _ in letters.randomElement() ?? "" }
                .joined()
            let cell = SafeText.cell(text)
            #expect(Self.undone(cell) == text, "\(Array(text.unicodeScalars))")
            for part in cell.unicodeScalars.split(whereSeparator: {
                ";\t\r\n".unicodeScalars.contains($0)
            }) {
                let first = part.first { !(" \"\u{200B}".unicodeScalars.contains($0)) }
                #expect(first.map { "=+-@\u{FF1D}".unicodeScalars.contains($0) } != true)
            }
        }
        let query = ["query", "--format", "csv", "SELECT '=1' AS \"=2\", -1 AS n, '-1' AS t"]
        let rows = try Program.run("mcictl", query, environment: environment)
        #expect(rows.output == "'=2,n,t\n'=1,-1,'-1\n")
    }
}

/// Libraries that make a file system behave like another one.
enum Shim {
    /// No file can be made without a name, as on some file systems.
    static func noUnnamedFiles(in folder: String) throws -> String {
        try make(
            "unnamed",
            """
            #define OPEN(name) int name(const char *path, int flags, ...) {                             \\
                if ((flags & O_TMPFILE) == O_TMPFILE) return errno = EOPNOTSUPP, -1;                     \\
                va_list rest; va_start(rest, flags); int mode = va_arg(rest, int); va_end(rest);         \\
                return ((int (*)(const char *, int, ...))dlsym(RTLD_NEXT, #name))(path, flags, mode); }
            OPEN(open)
            OPEN(open64)
            """,
            in: folder
        )
    }

    /// No regular file takes a byte, as on a full disk.
    static func fullDisk(in folder: String) throws -> String {
        try make(
            "full",
            """
            ssize_t write(int file, const void *bytes, size_t count) {
                struct stat facts;
                int is_output = file <= 2 && strcmp(program_invocation_short_name, "mcictl") == 0;
                if (!is_output && fstat(file, &facts) == 0 && S_ISREG(facts.st_mode))
                    return errno = ENOSPC, -1;
                return ((ssize_t (*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write"))(file, bytes, count);
            }
            """,
            in: folder
        )
    }

    private static func make(_ name: String, _ code: String, in folder: String) throws -> String {
        let path = "\(folder)/\(name).so"
        let heads = ["dlfcn", "errno", "fcntl", "stdarg", "string", "sys/stat", "unistd"]
        let source =
            (["#define _GNU_SOURCE"] + heads.map { "#include <\($0).h>" }).joined(separator: "\n")
            + "\n" + code
        try Disk.write(Array(source.utf8), to: path + ".c")
        let built = try Program.run("cc", ["-shared", "-fPIC", "-o", path, path + ".c"])
        try #require(built.code == 0, "\(built.errors)")
        return path
    }
}
