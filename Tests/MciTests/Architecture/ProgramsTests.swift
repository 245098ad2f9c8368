// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// Whatever the tests start is installed by `.ci/packages test`: what `make fresh` shows in an hour, in
/// a moment.
@Suite struct ProgramsTests {
    /// Debian's packages, and what the tests start of each: programs, and files named by their path.
    private static let packages: [String: Set<String>] = [
        "age": ["age", "age-keygen"],
        "bash": ["bash"],
        "bsdutils": ["script"],
        "dpkg": ["dpkg-query"],
        "coreutils": ["env", "mktemp", "sha256sum", "timeout"],
        "dash": ["sh"],
        "dbus-daemon": ["dbus-daemon"],
        // cc is a link of Debian's alternatives to it.
        "gcc": ["cc"],
        "gdb": ["gcore"],
        "grep": ["grep"],
        "i3lock": ["i3lock"],
        "libc-bin": ["ldd"],
        "libinput-tools": ["libinput", "libinput-replay"],
        "make": ["make"],
        "openbox": ["openbox"],
        "openssh-client": ["ssh-keygen"],
        "picom": ["picom"],
        "python3": ["python3"],
        "sqlite3": ["sqlite3"],
        "ssh-askpass": ["x11-ssh-askpass"],
        "strace": ["strace"],
        "systemd": ["systemctl", "systemd-analyze"],
        "tar": ["tar"],
        "util-linux": ["flock", "prlimit", "setpriv", "unshare"],
        "x11-xkb-utils": ["setxkbmap", "xkbcomp"],
        "tigervnc-standalone-server": ["Xtigervnc"],
        "x11-xserver-utils": ["xmodmap", "xrandr", "xset"],
        "xdotool": ["xdotool"],
        "xinput": ["xinput"],
        "xserver-xorg-core": ["Xorg"],
        "tmux": ["tmux"], "xterm": ["xterm"],
        "xtrace": ["xtrace"],
        "xvfb": ["Xvfb"],
    ]
    /// On every Debian (Essential: yes), with which nothing is to be installed.
    private static let essential: Set<String> = [
        "bash", "bsdutils", "coreutils", "dash", "dpkg", "grep", "libc-bin", "tar", "util-linux",
    ]
    /// Started by the proofs alone, for which `.ci/packages proof` installs more.
    private static let ofProofs: Set<String> = ["go"]
    /// Of this project, of the toolchain, and folders in which libraries are looked for.
    private static let others: Set<String> = [
        "mcid", "mcictl", "mci-companion", "mci-holder", "mci-read", "swift", "swiftc", "clang",
        "lib64", "x86_64-linux-gnu",
        "aarch64-linux-gnu",
    ]

    /// What is started, by its name, and where.
    private var started: [String: Set<String>] {
        get throws {
            let swift = [
                #/(?:Program\.run|Program\.path|server:)\(?\s*"([^"\\\s]+)"/#,
                #/"(/(?:usr/)?(?:s?bin|lib|libexec)/[^"\\\s]+)"/#,
            ]
            let python = [
                #/(?:run|Popen|check_output|check_call|which|execvp?)\(\s*\[?\s*"([^"\\\s]+)"/#
            ]
            var found: [String: Set<String>] = [:]
            for (folder, end, patterns) in [
                ("MciTests", ".swift", swift), ("Proofs", ".py", python),
                ("Service", ".py", python),
            ] {
                let start = "\(Program.root)/Tests/\(folder)"
                let names =
                    FileManager.default.enumerator(atPath: start)?
                    .compactMap { $0 as? String } ?? []
                for name in names
                where name.hasSuffix(end) && !name.hasSuffix("ProgramsTests.swift") {
                    let text = try String(contentsOfFile: "\(start)/\(name)", encoding: .utf8)
                    for match in patterns.flatMap({ text.matches(of: $0) }) {
                        let program = URL(fileURLWithPath: String(match.1)).lastPathComponent
                        found[program, default: []].insert(name)
                    }
                }
            }
            return found
        }
    }

    @Test func `every program the tests start is of a package that make test installs`() throws {
        let started = try started
        #expect(started.count > 30)
        let others = Self.others.union(Self.ofProofs)
        let known = Self.packages.values.reduce(into: others) { $0.formUnion($1) }
        for (program, files) in started {
            #expect(
                known.contains(program),
                "\(program) of \(files.sorted()) is in no package here"
            )
        }
        let result = try Program.run("bash", ["\(Program.root)/.ci/packages", "--list", "test"])
        #expect(result.code == 0)
        let installed = Set(result.lines)
        for package in Self.packages.keys where !Self.essential.contains(package) {
            // README takes it for granted, for it is what the person has just started.
            if package == "make" { continue }
            #expect(installed.contains(package), "\(package) is not installed by make test")
        }
    }

    /// Debian's packages of modules that the tests import, beside those of Makefile's `PYTHON_PACKAGES`.
    private static let modules = [
        "libevdev": "libinput-tools", "yaml": "python3-yaml", "dbus": "python3-dbusmock",
        "gi": "python3-dbusmock",
    ]

    @Test func `every Python module the tests import is one that make test installs`() throws {
        let list = try Program.run(
            "/usr/bin/python3",
            ["-c", "import sys; print(*sorted(sys.stdlib_module_names))"]
        )
        let standard = Set(list.output.split(whereSeparator: \.isWhitespace).map(String.init))
        let makefile = try String(contentsOfFile: "\(Program.root)/Makefile", encoding: .utf8)
        let fetched = makefile.firstMatch(of: #/PYTHON_PACKAGES = for name in ([^;]+);/#)
        let names = try #require(fetched?.1).split(whereSeparator: \.isWhitespace)
        let packages = try Program.run("bash", ["\(Program.root)/.ci/packages", "--list", "test"])
        // A line of a program in another language begins with a small letter after `import`, too:
        // modules of Swift do not.
        let line =
            #/(?m)^ *(?:import|from) ([a-z][\w.]*(?: as \w+)?(?:, [a-z][\w.]*)*)(?: import .*)?$/#
        var seen = Set<String>()
        let folder = "\(Program.root)/Tests/MciTests"
        let files = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String }
        for name in files ?? [] where name.hasSuffix(".swift") || name.hasSuffix(".py") {
            let text = try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)
            for match in text.matches(of: line) {
                for module in match.1.split(separator: ",") {
                    let parts = module.split { $0 == "." || $0 == " " }
                    seen.insert(parts.first.map(String.init) ?? "")
                }
            }
        }
        #expect(seen.isSuperset(of: ["yaml", "pynput", "pyrage", "json"]))
        for module in seen.subtracting(standard) where !names.contains(Substring(module)) {
            let package = Self.modules[module]
            #expect(
                package.map { packages.lines.contains($0) } == true,
                "\(module) is of no package that make test installs"
            )
        }
    }

    @Test(.enabled(if: Program.path("dpkg-query") != nil, "this is no Debian"))
    func `every program is in the package that is said to have it`() throws {
        for (package, programs) in Self.packages {
            let listed = try Program.run("dpkg-query", ["-L", package])
            // Not installed here: nothing can be told.
            guard listed.code == 0 else { continue }
            let names = Set(listed.lines.map { URL(fileURLWithPath: $0).lastPathComponent })
            for program in programs where program != "cc" {
                #expect(names.contains(program), "\(program) is not in \(package)")
            }
        }
    }
}
