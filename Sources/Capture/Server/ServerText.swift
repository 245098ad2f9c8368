// SPDX-License-Identifier: Apache-2.0

/// A text of a window, and another way to read its bytes where these do not say how they are meant.
///
/// A property of type STRING is ISO 8859-1 by the rules (ICCCM 2.7.1), and many programs put UTF-8 there.
/// Both readings are kept, so that a rule that matches either one holds.
struct ServerText: Equatable {
    /// The likely reading: UTF-8 where the bytes are that, for hardly any other text is.
    var text: String
    /// The other one; nil where there is none, or it is the same.
    var other: String?

    init(_ text: String, other: String? = nil) {
        self.text = text
        self.other = other
    }

    /// Reads the bytes of a property.
    ///
    /// - Parameters:
    ///   - bytes: without a NUL at the end.
    ///   - isUTF8: whether the property says that they are UTF-8.
    init(_ bytes: [UInt8], isUTF8: Bool) {
        let latin = bytes.contains { $0 >= 0x80 } ? Self.latin(bytes) : nil
        if let text = String(validating: bytes, as: UTF8.self) {
            self.init(text, other: isUTF8 ? nil : latin)
        } else if isUTF8 {
            self.init(String(decoding: bytes, as: UTF8.self), other: latin)
        } else {
            self.init(Self.latin(bytes))
        }
    }

    /// ISO 8859-1 are the first 256 of Unicode.
    private static func latin(_ bytes: [UInt8]) -> String {
        String(String.UnicodeScalarView(bytes.map { UnicodeScalar($0) }))
    }

    /// No more than so many characters.
    func prefix(_ count: Int) -> ServerText {
        ServerText(String(text.prefix(count)), other: other.map { String($0.prefix(count)) })
    }
}
