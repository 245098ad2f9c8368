// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// The life of the service under a real `systemd --user`, in a mount namespace of its own.
private enum Rig {
    static let script = "\(Program.root)/Tests/Service/rig.py"

    /// Why it cannot run here; nil where it can.
    static let obstacle: String? = {
        guard let result = try? Program.run("python3", [script, "--probe"]) else {
            return "python3 is missing"
        }
        return result.code == 0 ? nil : result.output.trimmingCharacters(in: .newlines)
    }()
}

/// The unit files as they are shipped.
@Suite(.serialized) struct UnitTests {
    private static let unit = "mcid.service"
    private static let dropIn = "mcid.service.d/50-userns.conf"

    private func settings(_ name: String) throws -> Set<String> {
        let path = "\(Program.root)/systemd/\(name)"
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
        let pairs = lines.filter { !$0.hasPrefix("#") && $0.contains("=") }
        return Set(pairs.map { String($0.prefix { $0 != "=" }) })
    }

    @Test func `the unit has no setting that does nothing, or harm, in a user manager`() throws {
        // They need a privilege that a user manager lacks: some are then ignored in silence, with
        // others the service does not start (systemd 252: exit code 218 or 226).
        let needsPrivilege: Set = [
            "AmbientCapabilities", "CapabilityBoundingSet", "DeviceAllow", "DevicePolicy",
            "DynamicUser", "Group", "IPAddressAllow", "IPAddressDeny", "PrivateIPC", "ProcSubset",
            "ProtectProc", "RemoveIPC", "RootDirectory", "RootImage", "SupplementaryGroups", "User",
        ]
        let needsNamespace: Set = [
            "BindPaths", "BindReadOnlyPaths", "InaccessiblePaths", "PrivateDevices",
            "PrivateMounts", "PrivateNetwork", "PrivateTmp", "PrivateUsers", "ProtectClock",
            "ProtectControlGroups", "ProtectHome", "ProtectHostname", "ProtectKernelLogs",
            "ProtectKernelModules", "ProtectKernelTunables", "ProtectSystem", "ReadOnlyPaths",
            "ReadWritePaths", "TemporaryFileSystem",
        ]
        let base = try settings(Self.unit)
        #expect(base.isDisjoint(with: needsPrivilege.union(needsNamespace)))
        let added = try settings(Self.dropIn)
        // In a user namespace of its own the service has the capabilities that it gives away here.
        #expect(added.isDisjoint(with: needsPrivilege.subtracting(["CapabilityBoundingSet"])))
        #expect(added.contains("PrivateUsers"), "the others rest on it")
        #expect(!added.contains("ProtectClock"), "the clock could not even be asked")
        // What holds a person's pause and trust stands in the base.
        let wanted = [
            "UMask", "LimitCORE", "MemoryMax", "CPUQuota", "TasksMax", "NoNewPrivileges",
            "RestrictAddressFamilies", "SystemCallFilter", "WatchdogSec", "Restart",
            "RestartPreventExitStatus", "FileDescriptorStoreMax",
        ]
        #expect(base.isSuperset(of: wanted))
    }

    // 0.3 of it each time is for the two calls that read the state of the clock.
    @Test(arguments: [(false, 6.2), (true, 1.5)])
    func `systemd finds nothing to say about the units, and little exposure`(
        withNamespaces: Bool,
        most: Double
    ) throws {
        let folder = try TemporaryFolder()
        let manager = FileManager.default
        let text = try String(
            contentsOfFile: "\(Program.root)/systemd/\(Self.unit)",
            encoding: .utf8
        )
        // A program that is there, for verification looks.
        try text.replacingOccurrences(of: "ExecStart=mcid", with: "ExecStart=/bin/true")
            .write(toFile: "\(folder.path)/\(Self.unit)", atomically: true, encoding: .utf8)
        if withNamespaces {
            try manager.copyItem(
                atPath: "\(Program.root)/systemd/mcid.service.d",
                toPath: "\(folder.path)/mcid.service.d"
            )
        }
        var environment = folder.environment
        environment["XDG_RUNTIME_DIR"] = folder.path
        let file = "\(folder.path)/\(Self.unit)"
        let verified = try Program.run(
            "systemd-analyze",
            ["--user", "verify", "--man=no", file],
            environment: environment
        )
        #expect(verified.code == 0 && verified.errors.isEmpty, "\(verified.errors)")
        let found = try Program.run(
            "systemd-analyze",
            ["--user", "security", "--offline=true", "--no-pager", file],
            environment: environment
        )
        let words = found.output.split(whereSeparator: \.isWhitespace)
        let colon = try #require(words.lastIndex(of: "mcid.service:"), "\(found.errors)")
        let exposure = try #require(Double(words[colon + 1]))
        #expect(exposure <= most, "\(found.output)")
    }

    @Test(
        .enabled(if: Rig.obstacle == nil, Comment(rawValue: Rig.obstacle ?? "")),
        arguments: [[], ["--userns"]]
    )
    func `under a real service manager it starts, records, pauses, survives and stops`(
        options: [String]
    ) throws {
        let result = try Program.run(
            "timeout",
            ["-s", "KILL", "300", "python3", Rig.script, Program.products] + options
        )
        #expect(result.code == 0, "\(result.output.suffix(4000))\(result.errors.suffix(2000))")
        #expect(result.lines.filter { $0.hasPrefix("ok: ") }.count == 17, "\(result.output)")
    }
}
