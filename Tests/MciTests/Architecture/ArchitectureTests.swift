// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// What each module may import, in the order of the data's path; everything else is forbidden.
private let allowedImports: [String: Set<String>] = [
    "Events": [],
    "Calendar": ["Events", "Glibc"],
    "System": ["CLinux", "Glibc"],
    "Wire": ["CLinux", "System", "Glibc"],
    "Bus": ["CLinux", "System", "Glibc"],
    "Capture": ["Events", "System", "Wire", "CX11", "CLinux", "Glibc"],
    "Gate": ["Events", "Synchronization"],
    "Packing": ["Events", "Gate", "CZlib", "CLinux", "Glibc"],
    "Sandbox": ["CLinux", "System", "Glibc"],
    "Signing": ["System", "Crypto"],
    // Signed notes and trees: pure, so that foreign programs can judge them.
    "Notes": ["System", "Crypto"],
    "Sealing": ["Packing", "Signing", "System", "Crypto"],
    "Storage": ["Sealing", "Signing", "System", "CSQLite"],
    "Policy": ["Events", "Gate", "Signing", "System", "Crypto", "FoundationEssentials"],
    "Person": [
        "Calendar", "CLinux", "Events", "Gate", "Policy", "Signing", "System", "Crypto", "Glibc",
        "FoundationEssentials",
    ],
    "Control": ["CLinux", "Person", "System", "Glibc", "FoundationEssentials"],
    "Recording": [
        "Events", "Capture", "Gate", "Packing", "Sealing", "Signing", "Storage", "System",
        "Policy", "Person", "Control", "CLinux", "Glibc", "Logging", "Synchronization",
    ],
    // It reaches neither the X server, nor keys, nor a recording.
    "Companion": ["Bus", "Calendar", "Control", "Events", "Person", "System", "Glibc"],
    "Release": [
        "Events", "Export", "Gate", "Notes", "Packing", "Policy", "Sealing", "System", "Timeline",
        "Crypto", "FoundationEssentials",
    ],
    // It reaches neither the ring nor payloads: headers, notes and its own file.
    "Holder": [
        "Events", "Notes", "Release", "Sealing", "Storage", "System", "Timeline",
        "FoundationEssentials",
    ],
    "mci-holder": [
        "Events", "Holder", "Person", "Release", "Sandbox", "Storage", "System", "Glibc",
    ],
    "Reader": ["Holder", "Notes", "Packing", "Release", "Sealing", "System", "Timeline"],
    "mci-read": [
        "Events", "Export", "Holder", "Notes", "Reader", "Release", "Sandbox", "System", "Glibc",
        "FoundationEssentials", "ArgumentParser",
    ],
    "mci-companion": ["Companion", "Person", "System", "Glibc"],
    "Timeline": [
        "Events", "Packing", "Sealing", "Signing", "Storage", "System", "Crypto", "CryptoExtras",
    ],
    "Export": ["Events", "Packing", "Timeline"],
    "Report": ["Calendar", "Events", "Export", "Packing", "Timeline"],
    // It speaks X with a closed list of requests (ReplayTests), of which none selects events: with it
    // mcictl still cannot capture.
    "Replay": ["CLinux", "Events", "System", "Timeline", "Wire", "Glibc", "FoundationEssentials"],
    "Query": ["Calendar", "Events", "Packing", "Storage", "Timeline", "CSQLite", "Glibc"],
    "SQLiteExtension": ["CSQLite", "System", "Glibc", "Query", "Timeline"],
    "mcid": [
        "Capture", "Control", "Person", "Policy", "Recording", "Sandbox", "System", "Glibc",
        "Logging",
    ],
    "mcictl": [
        "Calendar", "Control", "Events", "Export", "Gate", "Holder", "Notes", "Packing", "Person",
        "Policy", "Query", "Release", "Replay", "Report", "Sealing", "Signing", "Storage", "System",
        "Timeline", "Glibc", "FoundationEssentials", "ArgumentParser",
    ],
]

/// The only files that may step outside Swift's memory safety.
private let unsafeFiles: Set<String> = [
    "Calendar/LocalTime.swift",
    "Capture/Server/AuthorityFile.swift",
    "Capture/Server/X11Connection.swift", "Capture/Server/X11Connection+Devices.swift",
    "Capture/Server/X11Connection+DeviceTable.swift", "Capture/Server/EventWire.swift",
    "Capture/Prompts/Proc.swift", "Capture/Prompts/ProcessTree.swift",
    "Capture/Prompts/TerminalModes.swift", "Capture/Prompts/TerminalPrompts.swift",
    "Capture/Prompts/TerminalWatch.swift", "Capture/Server/X11Connection+Properties.swift",
    "Capture/Server/X11Connection+Windows.swift", "Capture/Server/XlibConnection.swift",
    "Bus/BusConnection.swift", "Companion/Companion.swift",
    "Control/ControlClient.swift", "Control/ControlLink.swift", "Control/ControlServer.swift",
    "System/Disk.swift",
    "System/CurrentProcess.swift", "System/DiskFile.swift", "System/FolderWatch.swift",
    "System/Interrupted.swift", "System/KernelClock.swift",
    "System/LineFile.swift", "System/NewFile.swift", "System/OutFile.swift", "System/OwnPath.swift",
    "System/SecretFile.swift",
    "System/TrustedFile.swift",
    "Packing/Batch.swift", "Packing/BatchBuilder.swift", "Packing/Columns.swift",
    "Packing/Column.swift", "Packing/Deflate.swift", "Packing/LockedMemory.swift",
    "Packing/OpenedBatch.swift", "Query/QuerySession.swift", "Query/SQLFunctions.swift",
    "Query/VirtualTable.swift",
    "Replay/SignalWaiter.swift", "System/SignalQueue.swift", "Wire/WireSocket.swift",
    "Recording/EventLoop.swift", "Recording/JournalLogHandler.swift",
    "Recording/ServiceManager.swift",
    "SQLiteExtension/Extension.swift", "Sandbox/Attestation.swift", "Sandbox/Sandbox.swift",
    "Sealing/Age.swift", "Signing/DeviceKey.swift",
    "Sealing/Sealer.swift",
    "Person/Consent.swift",
    "Storage/SQLiteConnection.swift",
    "mcictl/Support/ParquetWriter.swift", "System/ChildProcess.swift",
    "Packing/ReleasePayload.swift", "Reader/Run.swift", "Sandbox/JobSandbox.swift",
    "mcictl/Support/FullScreen.swift", "mcictl/Support/Terminal+Look.swift",
    "mcictl/Support/Pager.swift", "mcictl/Support/Prompt.swift",
]

/// The libraries that a dynamic mcid may load, without versions.
private let allowedLibraries: Set<String> = [
    "linux-vdso.so", "ld-linux-x86-64.so", "ld-linux-aarch64.so", "libX11.so", "libXi.so",
    "libXext.so", "libxcb.so", "libXau.so", "libXdmcp.so", "libbsd.so", "libmd.so",
    "libsqlite3.so", "libz.so", "libm.so", "libc.so", "libgcc_s.so", "libstdc++.so", "libdl.so",
    "libpthread.so", "libFoundationEssentials.so", "libdispatch.so", "libBlocksRuntime.so",
]

@Suite struct ArchitectureTests {
    /// The Swift files of Sources, by their path below it.
    private var sources: [String: String] {
        let start = Program.root + "/Sources"
        let names =
            FileManager.default.enumerator(atPath: start)?.compactMap { $0 as? String } ?? []
        var result: [String: String] = [:]
        for name in names where name.hasSuffix(".swift") {
            result[name] = try? String(contentsOfFile: "\(start)/\(name)", encoding: .utf8)
        }
        return result
    }

    @Test func `every module imports only what the table allows`() throws {
        #expect(sources.count > 50)
        for (name, text) in sources {
            let module = String(name.prefix { $0 != "/" })
            let allowed = try #require(allowedImports[module], "\(module) is not in the table")
            for line in text.split(separator: "\n") {
                let words = line.split(separator: " ")
                guard let at = words.firstIndex(of: "import"), at <= 1, words.count == at + 2 else {
                    continue
                }
                #expect(allowed.contains(String(words[at + 1])), "\(name): \(line)")
            }
        }
    }

    @Test func `nothing is public, and only the listed files are unsafe`() {
        var found: Set<String> = []
        for (name, text) in sources {
            let code = text.split(separator: "\n").filter { !$0.contains("//") }
            let words = code.map { $0.drop(while: \.isWhitespace) }
            #expect(!words.contains { $0.hasPrefix("public ") || $0.hasPrefix("open ") }, "\(name)")
            #expect(!code.contains { $0.contains("fatalError(") || $0.contains("try!") }, "\(name)")
            let isUnsafe = code.contains { $0.contains("unsafe ") || $0.contains("@unchecked") }
            if isUnsafe { found.insert(name) }
        }
        #expect(found == unsafeFiles)
    }

    @Test func `every source file has its licence line, and C doors are short`() throws {
        for (name, text) in sources {
            #expect(text.hasPrefix("// SPDX-License-Identifier: Apache-2.0\n"), "\(name)")
        }
        for door in [
            "CX11/shim.h", "CSQLite/shim.h", "CZlib/shim.h", "CLinux/clinux.c",
            "CLinux/include/clinux.h", "CLinux/include/sandbox.h", "CLinux/files.c",
            "CLinux/landlock.c", "CLinux/job.c", "CLinux/filter.h",
            "CLinux/notify.c", "CLinux/seccomp.c", "CLinux/signals.c", "CLinux/trials.c",
            "CSQLiteExtension/entry.c",
        ] {
            let text = try String(
                contentsOfFile: "\(Program.root)/Sources/\(door)",
                encoding: .utf8
            )
            #expect(
                text.split(separator: "\n", omittingEmptySubsequences: false).count <= 101,
                "\(door)"
            )
        }
    }

    @Test func `no source names a network socket`() throws {
        for (name, text) in sources {
            for word in ["AF_INET", "sockaddr_in", "getaddrinfo", "URLSession"] {
                #expect(!text.contains(word), "\(name)")
            }
        }
        let c = try String(
            contentsOfFile: Program.root + "/Sources/CLinux/clinux.c",
            encoding: .utf8
        )
        #expect(!c.contains("AF_INET"))
    }

    @Test func `the daemon loads the listed libraries and no full Foundation`() throws {
        let result = try Program.run("ldd", [try #require(Program.path("mcid"))])
        #expect(result.code == 0)
        for line in result.lines {
            let file = line.split(separator: " ").first.map(String.init) ?? ""
            let base = (file.trimmingCharacters(in: .whitespaces) as NSString).lastPathComponent
            let name = base.range(of: ".so").map { String(base[..<$0.upperBound]) } ?? base
            #expect(allowedLibraries.contains(name) || name.hasPrefix("libswift"), "\(name)")
        }
        #expect(!result.output.contains("libFoundation.so"))
        #expect(!result.output.contains("_FoundationICU"))
    }

    @Test(
        arguments: [
            (
                "forged event", "initializer is inaccessible",
                """
                import Events
                import Gate
                let event = AdmittedEvent(
                    time: EventTime(0), device: 1, payload: .motion(dx: 1, dy: 1))
                """
            ),
            (
                "forged batch", "initializer is inaccessible",
                """
                import Sealing
                let batch = SealedBatch(bytes: [])
                """
            ),
            (
                "used after seal", "consumed more than once",
                """
                import Packing
                import Sealing
                func twice(_ batch: consuming Batch, _ sealer: Sealer) throws {
                    _ = try sealer.seal(batch, after: [])
                    _ = try sealer.seal(batch, after: [])
                }
                """
            ),
            (
                "raw event to the packer", "AdmittedEvent",
                """
                import Events
                import Packing
                func pack(_ raw: RawEvent, _ builder: inout BatchBuilder) { builder.append(raw) }
                """
            ),
            (
                "raw movements to the packer", "inaccessible",
                """
                import Events
                import Gate
                func admit(_ run: MotionRun) -> AdmittedMotions { AdmittedMotions(run) }
                """
            ),
            (
                "sound", "",
                """
                import Packing
                import Sealing
                func once(_ batch: consuming Batch, _ sealer: Sealer) throws {
                    _ = try sealer.seal(batch, after: [])
                }
                """
            ),
        ]
    )
    func `what would break the order does not compile`(name: String, message: String, code: String)
        throws
    {
        let folder = try TemporaryFolder()
        let file = "\(folder.path)/attempt.swift"
        try code.write(toFile: file, atomically: true, encoding: .utf8)
        let result = try compile([file], "-emit-sil", "-o", "/dev/null")
        if message.isEmpty {
            #expect(result.code == 0, "\(result.errors)")
        } else {
            #expect(result.code != 0)
            #expect(result.errors.contains(message), "\(result.errors)")
        }
    }

    @Test func `the fuzzing harness, a package of its own, keeps up with what it fuzzes`() throws {
        let folder = "\(Program.root)/Tests/Fuzz/Sources"
        let files = try FileManager.default.contentsOfDirectory(atPath: "\(folder)/Fuzz")
            .map { "\(folder)/Fuzz/\($0)" }
        let result = try compile(files, "-typecheck", doors: ["\(folder)/CFuzzer"])
        #expect(result.code == 0, "\(result.errors)")
    }

    /// Compiles files as a part of this package.
    private func compile(
        _ files: [String],
        _ options: String...,
        doors more: [String] = []
    ) throws -> Program.Result {
        // SwiftPM names a package after its folder.
        let package = URL(fileURLWithPath: Program.root).lastPathComponent.lowercased()
        let doors = ["CX11", "CSQLite", "CZlib"].map { "\(Program.root)/Sources/\($0)" } + more
        let maps = (doors + ["\(Program.products)/CLinux.build"]).flatMap {
            ["-Xcc", "-fmodule-map-file=\($0)/module.modulemap"]
        }
        return try Program.run(
            "swiftc",
            options + [
                "-swift-version", "6", "-package-name", package, "-I",
                Program.products + "/Modules",
            ] + maps + files,
            environment: ProcessInfo.processInfo.environment
        )
    }
}
