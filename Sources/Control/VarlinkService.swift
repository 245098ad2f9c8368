// SPDX-License-Identifier: Apache-2.0

/// Answers varlink messages: the protocol without its sockets.
struct VarlinkService {
    /// What becomes of a message.
    struct Answer {
        var bytes: [UInt8]
        /// The client wants every further status.
        var isMonitor = false
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
    /// - Returns: nil for a message that is no call, after which the connection ends.
    func answer(
        _ message: [UInt8],
        _ handle: (ControlCall) throws(Refusal) -> ControlReply
    ) -> Answer? {
        guard let call = Varlink.decode(Varlink.Call.self, message) else { return nil }
        if call.method.hasPrefix("org.varlink.service.") {
            return Answer(bytes: introspect(call.method, message))
        }
        guard call.method.hasPrefix(Varlink.interface + ".") else {
            let name = call.method.split(separator: ".").dropLast().joined(separator: ".")
            return Answer(
                bytes: error("org.varlink.service.InterfaceNotFound", Name(interface: name))
            )
        }
        guard let request = Self.request(call.method, message) else {
            let isKnown = Self.methods.contains(call.method)
            return Answer(
                bytes: isKnown
                    ? error("org.varlink.service.InvalidParameter", Name(parameter: "parameters"))
                    : error("org.varlink.service.MethodNotFound", Name(method: call.method))
            )
        }
        do throws(Refusal) {
            let reply = try handle(request)
            let isMonitor = request == .monitor && call.more == true
            let bytes = Self.reply(reply, continues: isMonitor)
            return Answer(bytes: call.oneway == true ? [] : bytes, isMonitor: isMonitor)
        } catch {
            return Answer(bytes: self.error("\(Varlink.interface).Refused", error))
        }
    }

    static func reply(_ reply: ControlReply, continues: Bool) -> [UInt8] {
        Varlink.encode(Varlink.Reply(parameters: reply, continues: continues ? true : nil))
    }

    private static let methods = Set(
        [
            "GetStatus", "Monitor", "Pause", "Resume", "Consent", "Withdraw", "Forget", "Exempt",
            "ListExemptions", "AnswerExemption", "DecideExemption", "Exclude",
            "Explain", "Reload", "Flush",
        ].map { "\(Varlink.interface).\($0)" }
    )

    private static func request(_ method: String, _ message: [UInt8]) -> ControlCall? {
        func parameters<Value: Codable>(_ type: Value.Type) -> Value? {
            guard let call = Varlink.decode(Varlink.Parameters<Value>.self, message) else {
                return nil
            }
            // A call without parameters is one with none of them set.
            return call.parameters ?? Varlink.decode(type, Array("{}".utf8))
        }
        switch method.dropFirst(Varlink.interface.utf8.count + 1) {
        case "GetStatus": return .getStatus
        case "Monitor": return .monitor
        case "Pause":
            return parameters(ControlCall.PauseCall.self).map { .pause($0) }
        case "Resume": return .resume
        case "Consent": return parameters(ControlCall.ConsentCall.self).map { .consent($0.receipt) }
        case "Withdraw": return .withdraw
        case "Forget": return parameters(ControlCall.ForgetCall.self).map { .forget($0) }
        case "Exempt": return parameters(ControlCall.ExemptCall.self).map { .exempt($0) }
        case "ListExemptions": return .listExemptions
        case "AnswerExemption":
            return parameters(ControlCall.AnswerCall.self).map { .answerExemption($0) }
        case "DecideExemption":
            return parameters(ControlCall.DecideCall.self).map { .decideExemption($0.decision) }
        case "Explain": return .explain
        case "Exclude": return parameters(ControlCall.ExcludeCall.self).map { .exclude($0) }
        case "Reload": return .reload
        case "Flush": return .flush
        default: return nil
        }
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
