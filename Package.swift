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
        .target(name: "Files", dependencies: ["CLinux"], swiftSettings: strict),
        .target(name: "Wire", dependencies: ["CLinux", "Files"], swiftSettings: strict),
        .target(
            name: "Capture",
            dependencies: ["Events", "Wire", "CX11", "CLinux"],
            swiftSettings: strict
        ),
        .target(name: "Gate", dependencies: ["Events"], swiftSettings: strict),
        .target(
            name: "Packing",
            dependencies: ["Events", "Gate", "CZlib", "CLinux"],
            exclude: ["FORMAT.md"],
            swiftSettings: strict
        ),
        .target(name: "Sandbox", dependencies: ["CLinux", "Files"], swiftSettings: strict),
        .target(name: "Signing", dependencies: ["Files", crypto], swiftSettings: strict),
        .target(
            name: "Sealing",
            dependencies: ["Packing", "Signing", crypto],
            swiftSettings: strict
        ),
        .target(
            name: "Storage",
            dependencies: ["Sealing", "Signing", "Files", "CSQLite"],
            swiftSettings: strict
        ),

        .target(
            name: "Control",
            dependencies: ["CLinux"],
            resources: [.embedInCode("io.mci.Control.varlink")],
            swiftSettings: strict
        ),
        .target(
            name: "Settings",
            dependencies: [
                "Calendar", "CLinux", "Events", "Files", "Gate", "Control", "Signing", crypto,
            ],
            exclude: ["policy.schema.json", "policy.example.json"],
            swiftSettings: strict
        ),
        .target(
            name: "Recording",
            dependencies: [
                "Events", "Capture", "Gate", "Packing", "Sealing", "Storage", "Files",
                "Settings", "Signing", "Control", "CLinux", logging,
            ],
            swiftSettings: strict
        ),
        .target(
            name: "Timeline",
            dependencies: ["Events", "Packing", "Sealing", "Signing", "Storage", crypto, extras],
            exclude: ["READING.md"],
            swiftSettings: strict
        ),
        .target(
            name: "Replay",
            dependencies: ["CLinux", "Events", "Files", "Timeline", "Wire"],
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
                "CSQLite", "CSQLiteExtension", "Files", "Query", "Timeline",
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
                "Capture", "Control", "Files", "Recording", "Sandbox", "Settings", logging,
            ],
            swiftSettings: strict
        ),
        .executableTarget(
            name: "mcictl",
            dependencies: [
                "Calendar", "Control", "Events", "Files", "Gate", "Packing", "Query", "Replay",
                "Sealing", "Settings", "Signing", "Storage", "Timeline",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict
        ),

        .executableTarget(
            name: "mci-ring-bench",
            dependencies: [
                "Events", "Files", "Gate", "Packing", "Sealing", "Signing", "Storage", "Timeline",
            ],
            path: "Tests/Benchmarks/Ring",
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
                "Capture", "Control", "Events", "Files", "Gate", "Recording", "Settings", "Signing",
                "Timeline", logging,
            ],
            path: "Tests/Attacks/Typist",
            swiftSettings: relaxed
        ),
        .testTarget(
            name: "MciTests",
            dependencies: [
                "Events", "Calendar", "Capture", "Gate", "Packing", "Sealing", "Signing",
                "Storage", "Files",
                "Settings", "Control", "Recording", "Sandbox", "Timeline", "Query", "Replay",
                "Wire", "CLinux", "CX11",
                "CZlib",
                "mcid",
                "mcictl",
                "mci-attack-typist",
                crypto,
                logging,
                .product(name: "InMemoryLogging", package: "swift-log"),
            ],
            exclude: ["Calendar/zones.py", "Timeline/decode.py"],
            swiftSettings: relaxed
        ),
    ]
)
