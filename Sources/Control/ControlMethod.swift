// SPDX-License-Identifier: Apache-2.0

/// A method of `io.mci.Control`: its name, its parameters, and how its calls are written and read.
struct ControlMethod: Sendable {
    /// The name in the interface, such as `GetStatus`.
    let name: String
    /// The names of the parameters; a parameter that is a scope also has the names of its fields.
    let parameters: [String: [String]]
    /// Whether its reply may be longer than a call.
    let hasLongReply: Bool
    private let read: @Sendable ([UInt8]) -> ControlCall?
    private let write: @Sendable (ControlCall, _ more: Bool?) -> [UInt8]?

    private struct None: Codable {}

    /// A method without parameters.
    init(_ name: String, _ call: ControlCall, hasLongReply: Bool = false) {
        (self.name, parameters, self.hasLongReply) = (name, [:], hasLongReply)
        read = { _ in call }
        write = { $0 == call ? Self.message(name, None(), more: $1) : nil }
    }

    /// A method with parameters.
    ///
    /// - Parameters:
    ///   - name: the name in the interface.
    ///   - names: the names of the parameters.
    ///   - call: the call with given parameters.
    ///   - parameters: the parameters of a call; nil for a call of another method.
    init<Parameters: Codable & Sendable>(
        _ name: String,
        _ names: [String: [String]],
        _ call: @escaping @Sendable (Parameters) -> ControlCall,
        parameters: @escaping @Sendable (ControlCall) -> Parameters?
    ) {
        (self.name, self.parameters, hasLongReply) = (name, names, false)
        read = { message in
            guard let given = Varlink.decode(Varlink.Parameters<Parameters>.self, message) else {
                return nil
            }
            // A call without parameters equals one with none of them set.
            let none = { Varlink.decode(Parameters.self, Array("{}".utf8)) }
            return (given.parameters ?? none()).map(call)
        }
        write = { call, more in parameters(call).map { Self.message(name, $0, more: more) } }
    }

    /// The name with that of the interface, as calls have it.
    var fullName: String { Self.fullName(name) }

    private static func fullName(_ name: String) -> String { "\(Varlink.interface).\(name)" }

    /// Parses the call in a message; nil when a parameter is missing or has another type.
    func call(_ message: [UInt8]) -> ControlCall? { read(message) }

    /// The JSON of a call, ended by a NUL; nil for a call of another method.
    func message(_ call: ControlCall, more: Bool) -> [UInt8]? { write(call, more ? true : nil) }

    private static func message(_ name: String, _ parameters: some Codable, more: Bool?) -> [UInt8]
    {
        Varlink.encode(
            Varlink.FullCall(method: fullName(name), parameters: parameters, more: more)
        )
    }

    /// Finds a name in a call that neither varlink nor the method knows.
    ///
    /// - Parameter message: the JSON of the call.
    /// - Returns: the first unknown name; nil when there is none.
    func unknownName(in message: [UInt8]) -> String? {
        guard let call = Varlink.decode(Names.self, message) else { return nil }
        let own: Set<String> = ["method", "parameters", "more", "oneway", "upgrade"]
        if let name = call.names.keys.sorted().first(where: { !own.contains($0) }) { return name }
        guard let given = Varlink.decode(Varlink.Parameters<Names>.self, message)?.parameters
        else { return nil }
        for (name, fields) in given.names.sorted(by: { $0.key < $1.key }) {
            guard let known = parameters[name] else { return name }
            if known.isEmpty { continue }
            if let field = fields.sorted().first(where: { !known.contains($0) }) {
                return "\(name).\(field)"
            }
        }
        return nil
    }
}

/// The names in an object, and the names in each object that it contains.
private struct Names: Codable {
    var names: [String: [String]] = [:]

    private struct Key: CodingKey {
        var stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { return nil }
    }

    init(from decoder: any Decoder) throws {
        let object = try decoder.container(keyedBy: Key.self)
        for key in object.allKeys {
            let inner = try? object.nestedContainer(keyedBy: Key.self, forKey: key)
            names[key.stringValue] = inner?.allKeys.map(\.stringValue) ?? []
        }
    }

    func encode(to encoder: any Encoder) throws {}
}
