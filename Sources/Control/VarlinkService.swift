// SPDX-License-Identifier: Apache-2.0

import Person

/// Answers varlink messages; it has the protocol but no sockets.
struct VarlinkService {
    /// The reply to a message.
    struct Answer {
        var bytes: [UInt8]
        /// Whether the client wants every later status.
        var isMonitor = false
        /// Whether the client vouches for the session from now on.
        var isAttending = false
    }

    private struct Name: Codable {
        var method: String?
        var interface: String?
        var parameter: String?
    }

    private struct Info: Codable {
        var vendor = "mci"
        var product = "mcid"
        var version: String
        var url = ""
        var interfaces = ["org.varlink.service", Varlink.interface]
    }

    private struct Description: Codable {
        var description: String
    }

    let version: String

    /// Answers one message.
    ///
    /// - Parameters:
    ///   - message: the JSON without its NUL.
    ///   - handle: carries out a call.
    /// - Returns: nil for a message that is not a call, after which the connection ends.
    func answer(
        _ message: [UInt8],
        _ handle: ControlCall.Handler
    ) -> Answer? {
        guard let call = Varlink.decode(Varlink.Call.self, message) else { return nil }
        var answer = answer(call, message, handle)
        // A oneway call gets no reply, whatever its result.
        if call.oneway == true { answer.bytes = [] }
        return answer
    }

    /// Whether the reply to a message may be long.
    func isLong(_ message: [UInt8]) -> Bool {
        guard let name = Varlink.decode(Varlink.Call.self, message)?.method else { return false }
        return ControlCall.methods.contains { $0.hasLongReply && name == $0.fullName }
    }

    private func answer(
        _ call: Varlink.Call,
        _ message: [UInt8],
        _ handle: ControlCall.Handler
    ) -> Answer {
        func refuse(_ parameter: String) -> Answer {
            Answer(
                bytes: error("org.varlink.service.InvalidParameter", Name(parameter: parameter))
            )
        }
        if call.method.hasPrefix("org.varlink.service.") {
            return Answer(bytes: introspect(call.method, message))
        }
        guard call.method.hasPrefix(Varlink.interface + ".") else {
            let name = call.method.split(separator: ".").dropLast().joined(separator: ".")
            return Answer(
                bytes: error("org.varlink.service.InterfaceNotFound", Name(interface: name))
            )
        }
        guard let method = ControlCall.methods.first(where: { $0.fullName == call.method }) else {
            return Answer(
                bytes: error("org.varlink.service.MethodNotFound", Name(method: call.method))
            )
        }
        // Refuse misspelt names: a parameter that seems absent may mean everything.
        if let unknown = method.unknownName(in: message) { return refuse(unknown) }
        guard let request = method.call(message) else { return refuse("parameters") }
        do throws(Refusal) {
            let isMonitor = request == .monitor && call.more == true && call.oneway != true
            let bytes = Self.reply(try handle(request), continues: isMonitor)
            var answer = Answer(bytes: bytes, isMonitor: isMonitor)
            if case .attend = request { answer.isAttending = true }
            return answer
        } catch {
            return Answer(bytes: self.error("\(Varlink.interface).Refused", error))
        }
    }

    static func reply(_ reply: ControlReply, continues: Bool) -> [UInt8] {
        Varlink.encode(Varlink.Reply(parameters: reply, continues: continues ? true : nil))
    }

    private func introspect(_ method: String, _ message: [UInt8]) -> [UInt8] {
        switch method.dropFirst("org.varlink.service.".utf8.count) {
        case "GetInfo": return Varlink.encode(Varlink.Reply(parameters: Info(version: version)))
        case "GetInterfaceDescription":
            let name = Varlink.decode(Varlink.Parameters<Name>.self, message)?.parameters?.interface
            let text =
                switch name {
                case Varlink.interface:
                    String(decoding: PackageResources.io_mci_Control_varlink, as: UTF8.self)
                case "org.varlink.service": Self.serviceDescription
                default: ""
                }
            guard !text.isEmpty else {
                return error("org.varlink.service.InterfaceNotFound", Name(interface: name))
            }
            return Varlink.encode(Varlink.Reply(parameters: Description(description: text)))
        default: return error("org.varlink.service.MethodNotFound", Name(method: method))
        }
    }

    private func error(_ name: String, _ parameters: some Codable) -> [UInt8] {
        Varlink.encode(Varlink.Reply(parameters: parameters, error: name))
    }

    private static let serviceDescription = """
        interface org.varlink.service
        method GetInfo() -> (
          vendor: string, product: string, version: string, url: string, interfaces: []string
        )
        method GetInterfaceDescription(interface: string) -> (description: string)
        error InterfaceNotFound (interface: string)
        error MethodNotFound (method: string)
        error MethodNotImplemented (method: string)
        error InvalidParameter (parameter: string)
        """
}
