// SPDX-License-Identifier: Apache-2.0

import Companion
import Glibc
import Person
import System

private let help = """
    mci-companion shows the icon and the menu of mci, and reports locks and sleep to mcid.

    Start it with systemd: systemctl --user start mci-companion
    It holds no key, reads no recording, and does not connect to the X server.

    Options: --version, --help

    """

/// Runs the companion, or says how.
private func run() -> Int32 {
    switch CommandLine.arguments.dropFirst().first {
    case nil: break
    case "--version":
        try? Disk.write(Array("mci-companion \(CurrentProcess.version)\n".utf8), to: 1)
        return 0
    case "--help", "-h":
        try? Disk.write(Array(help.utf8), to: 1)
        return 0
    default:
        try? Disk.write(
            Array("mci-companion: unknown argument. See: mci-companion --help\n".utf8),
            to: 2
        )
        return 64
    }
    umask(0o077)
    let environment = CurrentProcess.environment()
    let paths = Paths(environment: environment)
    let companion = Companion(
        environment: environment,
        socket: paths.socket,
        openings: paths.openings
    )
    guard companion.hasBus else {
        let sentence = "mci-companion: there is no message bus, so nothing is known of locks.\n"
        try? Disk.write(Array(sentence.utf8), to: 2)
        return 69
    }
    companion.askForConsent(paths)
    companion.run()
    try? Disk.write(Array("mci-companion: the message bus is gone.\n".utf8), to: 2)
    return 75
}

exit(run())
