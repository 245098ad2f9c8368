// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

// The targets stand in the order of the data's path: X server, capture, gate, packing, sealing,
// storage; then what steers them, what joins them, what reads them back, and the two executables.
// Tests/ArchitectureTests holds the table of allowed imports.

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .strictMemorySafety(),
]

// Test code talks to C libraries and processes all the time: memory safety is not audited there.
let relaxed: [SwiftSetting] = Array(strict.dropLast())

let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let extras: Target.Dependency = .product(name: "CryptoExtras", package: "swift-crypto")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")

let exports = Context.packageDirectory + "/Sources/CSQLiteExtension/exports.map"

let package = Package(
    name: "mci",
    products: [
        .executable(name: "mcid", targets: ["mcid"]),
        .executable(name: "mcictl", targets: ["mcictl"]),
        .executable(name: "mci-companion", targets: ["mci-companion"]),
        .executable(name: "mci-holder", targets: ["mci-holder"]),
        .executable(name: "mci-read", targets: ["mci-read"]),
        .library(name: "mci-sqlite", type: .dynamic, targets: ["SQLiteExtension"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
    ],
    targets: [
        .systemLibrary(
            name: "CX11",
            providers: [.apt(["libx11-dev", "libxi-dev"])]
        ),
        .systemLibrary(name: "CSQLite", providers: [.apt(["libsqlite3-dev"])]),
        .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
        .target(name: "CLinux"),
        .target(
            name: "CSQLiteExtension",
            exclude: ["exports.map"],
            linkerSettings: [.linkedLibrary("sqlite3")]
        ),

        .target(name: "Events", swiftSettings: strict),
        .target(name: "Calendar", dependencies: ["Events"], swiftSettings: strict),
        .target(name: "System", dependencies: ["CLinux"], swiftSettings: strict),
        .target(name: "Wire", dependencies: ["CLinux", "System"], swiftSettings: strict),
        .target(name: "Bus", dependencies: ["CLinux", "System"], swiftSettings: strict),
        .target(
            name: "Capture",
            dependencies: ["Events", "System", "Wire", "CX11", "CLinux"],
            swiftSettings: strict
        ),
        .target(name: "Gate", dependencies: ["Events"], swiftSettings: strict),
        .target(
            name: "Packing",
            dependencies: ["Events", "Gate", "CZlib", "CLinux"],
            swiftSettings: strict
        ),
        .target(name: "Sandbox", dependencies: ["CLinux", "System"], swiftSettings: strict),
        .target(name: "Signing", dependencies: ["System", crypto], swiftSettings: strict),
        .target(name: "Notes", dependencies: ["System", crypto], swiftSettings: strict),
        .target(
            name: "Sealing",
            dependencies: ["Packing", "Signing", "System", crypto],
            swiftSettings: strict
        ),
        .target(
            name: "Storage",
            dependencies: ["Sealing", "Signing", "System", "CSQLite"],
            swiftSettings: strict
        ),

        .target(
            name: "Policy",
            dependencies: ["Events", "Gate", "Signing", "System", crypto],
            exclude: ["policy.schema.json", "policy.example.json"],
            swiftSettings: strict
        ),
        .target(
            name: "Person",
            dependencies: [
                "Calendar", "CLinux", "Events", "Gate", "Policy", "Signing", "System", crypto,
            ],
            swiftSettings: strict
        ),
        .target(
            name: "Control",
            dependencies: ["CLinux", "Person", "System"],
            resources: [.embedInCode("io.mci.Control.varlink")],
            swiftSettings: strict
        ),
        .target(
            name: "Recording",
            dependencies: [
                "Events", "Capture", "Gate", "Packing", "Sealing", "Storage", "System",
                "Policy", "Person", "Signing", "Control", "CLinux", logging,
            ],
            swiftSettings: strict
        ),
        .target(
            name: "Companion",
            dependencies: ["Bus", "Calendar", "Control", "Events", "Person", "System"],
            swiftSettings: strict
        ),
        .target(
            name: "Timeline",
            dependencies: [
                "Events", "Packing", "Sealing", "Signing", "Storage", "System", crypto, extras,
            ],
            swiftSettings: strict
        ),
        .target(
            name: "Export",
            dependencies: ["Events", "Packing", "Timeline"],
            swiftSettings: strict
        ),
        .target(
            name: "Report",
            dependencies: ["Calendar", "Events", "Export", "Packing", "Timeline"],
            swiftSettings: strict
        ),
        .target(
            name: "Release",
            dependencies: [
                "Events", "Export", "Gate", "Notes", "Packing", "Policy", "Sealing", "System",
                "Timeline", crypto,
            ],
            exclude: ["purpose.schema.json", "purpose.example.json"],
            swiftSettings: strict
        ),
        .target(
            name: "Holder",
            dependencies: [
                "Events", "Notes", "Release", "Sealing", "Storage", "System", "Timeline",
            ],
            swiftSettings: strict
        ),
        .target(
            name: "Reader",
            dependencies: [
                "Events", "Holder", "Notes", "Packing", "Release", "Sealing", "System", "Timeline",
            ],
            swiftSettings: strict
        ),
        .target(
            name: "Replay",
            dependencies: ["CLinux", "Events", "System", "Timeline", "Wire"],
            swiftSettings: strict
        ),
        .target(
            name: "Query",
            dependencies: ["Calendar", "Events", "Packing", "Storage", "Timeline", "CSQLite"],
            swiftSettings: strict
        ),
        .target(
            name: "SQLiteExtension",
            dependencies: [
                "CSQLite", "CSQLiteExtension", "System", "Query", "Timeline",
            ],
            swiftSettings: strict,
            // --static-swift-stdlib is for executables only, and the hosts have no Swift runtime.
            linkerSettings: [
                .unsafeFlags(
                    ["-static-stdlib", "-Xlinker", "--version-script=\(exports)"],
                    .when(configuration: .release)
                )
            ]
        ),

        .executableTarget(
            name: "mcid",
            dependencies: [
                "Capture", "Control", "Person", "Policy", "Recording", "Sandbox", "System", logging,
            ],
            swiftSettings: strict
        ),
        .executableTarget(
            name: "mci-holder",
            dependencies: ["Events", "Holder", "Person", "Release", "Sandbox", "System"],
            swiftSettings: strict
        ),
        .executableTarget(
            name: "mci-read",
            dependencies: [
                "Events", "Export", "Holder", "Notes", "Reader", "Release", "Sandbox", "System",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict
        ),
        .executableTarget(
            name: "mci-companion",
            dependencies: ["Companion", "Person", "System"],
            swiftSettings: strict
        ),
        .executableTarget(
            name: "mcictl",
            dependencies: [
                "Calendar", "Control", "Events", "Export", "Gate", "Holder", "Notes", "Packing",
                "Person", "Policy", "Query", "Release", "Replay", "Report", "Sealing", "Signing",
                "Storage", "System", "Timeline",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict
        ),

        .executableTarget(
            name: "mci-ring-bench",
            dependencies: [
                "Events", "Export", "Gate", "Packing", "Report", "Sealing", "Signing", "Storage",
                "System", "Timeline",
            ],
            path: "Tests/Benchmarks/Ring",
            swiftSettings: relaxed
        ),
        .executableTarget(
            name: "mci-release-bench",
            dependencies: [
                "Events", "Holder", "Notes", "Reader", "Release", "Sealing", "System", "Timeline",
                crypto,
            ],
            path: "Tests/Benchmarks/Release",
            swiftSettings: relaxed
        ),
        .executableTarget(
            name: "mci-gate-bench",
            dependencies: ["Events", "Gate"],
            path: "Tests/Benchmarks/Gate",
            swiftSettings: relaxed,
            linkerSettings: [.linkedLibrary("m")]
        ),
        .executableTarget(
            name: "mci-attack-typist",
            dependencies: [
                "Capture", "Control", "Events", "Gate", "Person", "Policy", "Recording", "Signing",
                "System", "Timeline", logging,
            ],
            path: "Tests/Attacks/Typist",
            swiftSettings: relaxed
        ),
        .testTarget(
            name: "MciTests",
            dependencies: [
                "Events", "Calendar", "Capture", "Gate", "Packing", "Sealing", "Signing",
                "Storage", "System", "Policy", "Person", "Control", "Recording", "Sandbox",
                "Timeline",
                "Export", "Query", "Replay", "Report", "Notes", "Release", "Holder", "Reader",
                "Wire", "Bus", "CLinux", "CX11",
                "CZlib",
                "mcid",
                "mcictl",
                "mci-companion",
                "mci-holder",
                "mci-read",
                "mci-attack-typist",
                crypto,
                logging,
                .product(name: "InMemoryLogging", package: "swift-log"),
            ],
            exclude: [
                "Calendar/zones.py", "Companion/desk.py", "Release/released.py", "Report/page.py",
                "Timeline/decode.py",
            ],
            swiftSettings: relaxed
        ),
    ]
)
