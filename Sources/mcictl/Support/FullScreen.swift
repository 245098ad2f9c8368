// SPDX-License-Identifier: Apache-2.0

import Glibc
import System

/// The whole terminal as one picture that is redrawn, and the keys that are typed at it.
///
/// Promise: when it ends, however it ends, the terminal is as it was before.
final class FullScreen {
    /// What woke the program.
    enum Event {
        /// A key was typed.
        case key(UInt8)
        /// The window has another size, or the program goes on after a stop: draw again.
        case changed
        /// The program must end.
        case end
        /// One of the other descriptors is readable.
        case readable
        /// Nothing happened for the time given.
        case nothing
    }

    private static let signals = [
        SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGWINCH, SIGCONT,
    ]

    private let queue = SignalQueue(FullScreen.signals)
    private var before = termios()
    private var drawn: [String] = []

    /// Takes the terminal over; nil if this program has none that can be drawn on.
    init?() {
        guard isatty(0) == 1, isatty(1) == 1, Terminal.variable("TERM") ?? "dumb" != "dumb",
            unsafe tcgetattr(0, &before) == 0
        else { return nil }
        enter()
    }

    /// Another screen without a cursor, and keys that arrive one by one and are not shown.
    private func enter() {
        var raw = before
        raw.c_lflag &= ~tcflag_t(ICANON | ECHO)
        // A terminal that holds its output back would keep the program from ending.
        raw.c_iflag &= ~tcflag_t(IXON)
        unsafe tcsetattr(0, TCSAFLUSH, &raw)
        send("\u{1B}[?1049h\u{1B}[?25l\u{1B}[H\u{1B}[J")
        drawn = []
    }

    /// Gives the terminal back.
    func leave() {
        send("\u{1B}[?25h\u{1B}[?1049l")
        unsafe tcsetattr(0, TCSAFLUSH, &before)
    }

    private func send(_ text: String) { try? Disk.write(Array(text.utf8), to: 1) }

    /// Rows and columns of the window.
    var size: (rows: Int, columns: Int) {
        var size = winsize()
        guard unsafe ioctl(1, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0
        else { return (24, 80) }
        return (Int(size.ws_row), Int(size.ws_col))
    }

    /// Draws lines that fit the window; the same ones again cost nothing.
    func draw(_ lines: [String]) {
        guard lines != drawn else { return }
        drawn = lines
        // The last line has no line end, which would scroll.
        let text = lines.map { "\($0)\u{1B}[K" }.joined(separator: "\r\n")
        send("\u{1B}[H\(text)\u{1B}[J")
    }

    /// Waits for a key, a signal, or something to read.
    ///
    /// - Parameters:
    ///   - descriptors: What else to wait for.
    ///   - timeout: The longest wait, in milliseconds.
    /// - Returns: What happened first.
    func wait(for descriptors: [Int32], timeout: Int32) -> Event {
        var watched = ([queue.descriptor, 0] + descriptors).map {
            pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
        }
        guard unsafe poll(&watched, nfds_t(watched.count), timeout) > 0 else { return .nothing }
        if watched[0].revents != 0 { return take(queue.next()) }
        if watched[1].revents != 0 {
            var byte: UInt8 = 0
            // A terminal that is gone ends the program.
            guard unsafe read(0, &byte, 1) == 1 else { return .end }
            // The rest of an escape sequence is not a key: F1 must not pause.
            if byte == 0x1B { discardTyped() }
            return .key(byte)
        }
        return .readable
    }

    /// Forgets the keys that were typed and not yet read.
    func discardTyped() { tcflush(0, TCIFLUSH) }

    private func take(_ signal: Int32?) -> Event {
        switch signal {
        case SIGWINCH, SIGCONT:
            drawn = []
            return .changed
        case SIGTSTP:
            leave()
            kill(getpid(), SIGSTOP)
            enter()
            return .changed
        case nil: return .nothing
        default: return .end
        }
    }
}
