// SPDX-License-Identifier: Apache-2.0

package import Packing

/// Opens sealed batches with the person's keys.
package struct BatchOpener: Sendable {
    /// The result of opening a sealed batch.
    package enum Outcome: Sendable {
        /// It opened.
        case opened(OpenedBatch)
        /// It was sealed to another key.
        case foreign
        /// It does not decrypt, or its columns do not parse.
        case damaged
    }

    private let identities: [Identity]

    /// Makes an opener.
    ///
    /// - Parameter identities: the person's keys, tried one after the other.
    package init(_ identities: [Identity]) {
        self.identities = identities
    }

    /// Opens a batch.
    ///
    /// - Parameter sealed: the age file.
    /// - Returns: the batch, or why it does not open.
    package func open(_ sealed: [UInt8]) -> Outcome {
        do {
            return .opened(try OpenedBatch(plaintext: AgeFile(sealed).open(identities)))
        } catch let error as AgeError where error.code == .noMatch {
            return .foreign
        } catch {
            return .damaged
        }
    }
}
