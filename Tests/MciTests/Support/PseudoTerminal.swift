// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// Runs a program on a terminal of its own, as a person would.
struct PseudoTerminal {
    /// What the person does.
    enum Step {
        /// Waits for a text, then types.
        case answer(String, String)
        /// Waits for a text, then sends a signal to the program.
        case signal(String, Int32)
    }

    /// What was seen.
    struct Result: Decodable {
        /// The exit code; the negative number of the signal that ended it.
        var code: Int32
        var output: String
        /// Whether the terminal showed what is typed, at each step, and after the end.
        var echo: [Bool]
        var echoAfter: Bool
    }

    /// Plays the steps.
    static func run(
        _ name: String,
        _ arguments: [String],
        environment: [String: String],
        _ steps: [Step]
    ) throws -> Result {
        let command = [try #require(Program.path(name))] + arguments
        let play: [[String: Any]] = steps.map {
            switch $0 {
            case .answer(let text, let answer): ["wait": text, "type": answer]
            case .signal(let text, let number): ["wait": text, "signal": number]
            }
        }
        let input = try JSONSerialization.data(
            withJSONObject: ["command": command, "environment": environment, "steps": play]
        )
        let result = try Program.run(
            "python3",
            ["-c", script],
            environment: ProcessInfo.processInfo.environment,
            input: String(decoding: input, as: UTF8.self)
        )
        try #require(result.code == 0, "\(result.errors)")
        return try JSONDecoder().decode(Result.self, from: Data(result.output.utf8))
    }

    private static let script = """
        import fcntl, json, os, pty, select, signal, sys, termios, time

        play = json.load(sys.stdin)
        master, slave = pty.openpty()
        child = os.fork()
        if child == 0:
            os.setsid()
            # The test's thread may have blocked some.
            signal.pthread_sigmask(signal.SIG_SETMASK, [])
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
            for number in (0, 1, 2):
                os.dup2(slave, number)
            os.closerange(3, 64)
            os.execve(play["command"][0], play["command"], play["environment"])

        end = time.time() + 100
        seen = b""
        status = None

        def look():
            global seen, status
            while select.select([master], [], [], 0.02)[0] and time.time() < end:
                seen += os.read(master, 65536)
            if status is None:
                ended, code = os.waitpid(child, os.WNOHANG)
                if ended:
                    status = code

        def echo():
            return bool(termios.tcgetattr(slave)[3] & termios.ECHO)

        echoes, start = [], 0
        for step in play["steps"]:
            while step["wait"].encode() not in seen[start:]:
                look()
                if status is not None or time.time() > end:
                    break
            start = len(seen)
            echoes.append(echo())
            if status is None and "type" in step:
                os.write(master, step["type"].encode())
            elif status is None:
                os.kill(child, step["signal"])
        while status is None and time.time() < end:
            look()
        look()
        if status is None:
            os.kill(child, 9)
            status = os.waitpid(child, 0)[1]
        print(json.dumps({
            "code": os.waitstatus_to_exitcode(status),
            "output": seen.decode(errors="replace"),
            "echo": echoes,
            "echoAfter": echo(),
        }))
        """
}
