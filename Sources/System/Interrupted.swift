// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Makes a system call and repeats it while a signal interrupts it (EINTR).
///
/// - Parameter call: The call; a negative result is a failure described by `errno`.
/// - Returns: The last result; if negative, it failed for a reason other than EINTR.
package func retryingInterrupted(_ call: () -> Int) -> Int {
    while true {
        let result = call()
        if result >= 0 || errno != EINTR { return result }
    }
}

/// Repeats a call that transfers bytes, such as `write(2)`, until all are transferred.
///
/// - Parameters:
///   - count: The number of bytes to transfer.
///   - call: Transfers some bytes, given the number already done, and returns how many.
/// - Returns: `count`; fewer if a call transferred none or failed, as described by `errno`.
package func transferring(_ count: Int, _ call: (_ done: Int) -> Int) -> Int {
    var done = 0
    while done < count {
        let part = retryingInterrupted { call(done) }
        guard part > 0 else { break }
        done += part
    }
    return done
}

/// Sends bytes to a socket; a peer that is gone raises no signal.
///
/// - Parameters:
///   - bytes: The bytes.
///   - socket: The socket; one that does not wait takes what it has room for.
/// - Returns: The number of bytes sent; if fewer than given, `errno` says why (EAGAIN: no room).
package func sending(_ bytes: [UInt8], to socket: Int32) -> Int {
    transferring(bytes.count) { done in
        unsafe bytes.withUnsafeBytes { buffer in
            unsafe send(
                socket,
                buffer.baseAddress?.advanced(by: done),
                buffer.count - done,
                Int32(MSG_NOSIGNAL)
            )
        }
    }
}
