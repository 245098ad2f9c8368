// SPDX-License-Identifier: Apache-2.0

/// A text of a window, with a second reading if its bytes do not determine their encoding.
///
/// By the rules, a property of type STRING is ISO 8859-1 (ICCCM 2.7.1), but many programs store
/// UTF-8 there. Both readings are kept, so that a rule that matches either one applies.
struct ServerText: Equatable {
    /// The likely reading: UTF-8 if the bytes are valid UTF-8, because hardly any other text is.
    var text: String
    /// The other reading; nil if there is none or it is equal.
    var other: String?

    init(_ text: String, other: String? = nil) {
        self.text = text
        self.other = other
    }

    /// Decodes the bytes of a property.
    ///
    /// - Parameters:
    ///   - bytes: The bytes without a final NUL.
    ///   - isUTF8: Whether the property's type is UTF8_STRING.
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

    /// Decodes ISO 8859-1, which is the first 256 scalars of Unicode.
    private static func latin(_ bytes: [UInt8]) -> String {
        String(String.UnicodeScalarView(bytes.map { UnicodeScalar($0) }))
    }

    /// The first `count` characters.
    func prefix(_ count: Int) -> ServerText {
        ServerText(String(text.prefix(count)), other: other.map { String($0.prefix(count)) })
    }
}
