// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Makes a system call, and makes it again for as long as a signal interrupts it.
///
/// - Parameter call: the call; what it returns below zero is a failure, told by `errno`.
/// - Returns: what the call returned at last; below zero it failed for another reason than EINTR.
package func retryingInterrupted(_ call: () -> Int) -> Int {
    while true {
        let result = call()
        if result >= 0 || errno != EINTR { return result }
    }
}

/// Repeats a call that moves bytes, such as `write(2)`, until all are moved.
///
/// - Parameters:
///   - count: how many bytes are to be moved.
///   - call: moves some of them, given how many were moved before; returns their number.
/// - Returns: `count`, or fewer bytes where a call moved none or failed, told by `errno`.
package func transferring(_ count: Int, _ call: (_ done: Int) -> Int) -> Int {
    var done = 0
    while done < count {
        let part = retryingInterrupted { call(done) }
        guard part > 0 else { break }
        done += part
    }
    return done
}
