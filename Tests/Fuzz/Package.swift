// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

// A package of its own, so that nobody who builds mci builds this: `make fuzz`.
//
// The readers under test are `package` or `internal`, so their sources belong to this package too,
// as links to the modules of the same names. Only they are instrumented: the harness, swift-crypto,
// zlib and SQLite are not what is fuzzed.

let features: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]
let address = Context.environment["MCI_FUZZ_ADDRESS"] != nil ? ",address" : ""
let fuzzed: [SwiftSetting] =
    features + [.unsafeFlags(["-sanitize=fuzzer\(address)", "-enable-testing"])]

let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let extras: Target.Dependency = .product(name: "CryptoExtras", package: "swift-crypto")

let package = Package(
    name: "mci-fuzz",
    dependencies: [
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0")
    ],
    targets: [
        .systemLibrary(name: "CFuzzer"),
        .systemLibrary(name: "CSQLite", providers: [.apt(["libsqlite3-dev"])]),
        .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(
            name: "CX11",
            pkgConfig: "x11 xi",
            providers: [.apt(["libx11-dev", "libxi-dev"])]
        ),
        .target(name: "CLinux"),
        .target(name: "Events", swiftSettings: fuzzed),
        .target(name: "Gate", dependencies: ["Events"], swiftSettings: fuzzed),
        .target(
            name: "Packing",
            dependencies: ["Events", "Gate", "CZlib", "CLinux"],
            swiftSettings: fuzzed
        ),
        .target(name: "Calendar", dependencies: ["Events"], swiftSettings: fuzzed),
        .target(
            name: "Policy",
            dependencies: ["Events", "Gate", "Signing", "System", crypto],
            exclude: ["policy.schema.json", "policy.example.json"],
            swiftSettings: fuzzed
        ),
        .target(
            name: "Person",
            dependencies: [
                "Calendar", "CLinux", "Events", "Gate", "Policy", "Signing", "System", crypto,
            ],
            swiftSettings: fuzzed
        ),
        .target(
            name: "Control",
            dependencies: ["CLinux", "Person", "System"],
            resources: [.embedInCode("io.mci.Control.varlink")],
            swiftSettings: fuzzed
        ),
        .target(name: "System", dependencies: ["CLinux"], swiftSettings: fuzzed),
        .target(name: "Wire", dependencies: ["CLinux", "System"], swiftSettings: fuzzed),
        .target(name: "Bus", dependencies: ["CLinux", "System"], swiftSettings: fuzzed),
        .target(
            name: "Capture",
            dependencies: ["Events", "System", "Wire", "CX11", "CLinux"],
            swiftSettings: fuzzed
        ),
        .target(
            name: "Replay",
            dependencies: ["CLinux", "Events", "System", "Timeline", "Wire"],
            swiftSettings: fuzzed
        ),
        .target(name: "Signing", dependencies: ["System", crypto], swiftSettings: fuzzed),
        .target(
            name: "Sealing",
            dependencies: ["Packing", "Signing", "System", crypto],
            swiftSettings: fuzzed
        ),
        .target(
            name: "Storage",
            dependencies: ["Sealing", "Signing", "System", "CSQLite"],
            swiftSettings: fuzzed
        ),
        .target(
            name: "Timeline",
            dependencies: [
                "Events", "Packing", "Sealing", "Signing", "Storage", "System", crypto, extras,
            ],
            swiftSettings: fuzzed
        ),
        .target(
            name: "Export",
            dependencies: ["Events", "Packing", "Timeline"],
            swiftSettings: fuzzed
        ),
        .target(
            name: "Report",
            dependencies: ["Calendar", "Events", "Export", "Packing", "Timeline"],
            swiftSettings: fuzzed
        ),
        .target(name: "Notes", dependencies: ["System", crypto], swiftSettings: fuzzed),
        .target(
            name: "Release",
            dependencies: [
                "Events", "Export", "Gate", "Notes", "Packing", "Policy", "Sealing", "System",
                "Timeline", crypto,
            ],
            exclude: ["purpose.schema.json", "purpose.example.json"],
            swiftSettings: fuzzed
        ),
        .executableTarget(
            name: "fuzz",
            dependencies: [
                "Bus", "CFuzzer", "CX11", "CZlib", "CLinux", "Capture", "Control", "Events",
                "Export", "Gate", "Notes", "Packing", "Person", "Release", "Replay", "Report",
                "Sealing", "Signing", "Storage", "System",
                "Timeline", "Wire",
                crypto, extras,
            ],
            path: "Sources/Fuzz",
            swiftSettings: features,
            // The gold linker has an internal error over libFuzzer.
            linkerSettings: [.unsafeFlags(["-sanitize=fuzzer\(address)", "-use-ld=lld"])]
        ),
    ]
)
