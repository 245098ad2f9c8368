// SPDX-License-Identifier: Apache-2.0

import Person

/// The methods of `io.mci.Control` and the names of their parameters.
enum ControlMethod: String, CaseIterable {
    case getStatus = "GetStatus"
    case monitor = "Monitor"
    case pause = "Pause"
    case resume = "Resume"
    case consent = "Consent"
    case withdraw = "Withdraw"
    case forget = "Forget"
    case exempt = "Exempt"
    case listExemptions = "ListExemptions"
    case answerExemption = "AnswerExemption"
    case decideExemption = "DecideExemption"
    case exclude = "Exclude"
    case explain = "Explain"
    case reload = "Reload"
    case flush = "Flush"

    /// The names of the parameters; a parameter that is a scope also has the names of its fields.
    ///
    /// The receipt of a consent has no fields here, because it is compared as a whole.
    var parameters: [String: [String]] {
        let scope = ["app", "title", "device", "during"]
        let exclusion = scope + ["asker"]
        return switch self {
        case .getStatus, .monitor, .resume, .withdraw, .listExemptions, .explain, .reload, .flush:
            [:]
        case .pause: ["seconds": [], "until": [], "forgetSeconds": []]
        case .consent: ["receipt": []]
        case .forget: ["since": [], "until": [], "batches": [], "dryRun": []]
        case .exempt: ["scope": scope, "seconds": [], "reason": []]
        case .answerExemption: ["id": [], "answer": []]
        case .decideExemption: ["decision": []]
        case .exclude:
            ["remove": [], "restore": [], "add": exclusion, "drop": exclusion, "only": []]
        }
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

    /// Parses the call in a message; nil when a parameter is missing or has another type.
    func call(_ message: [UInt8]) -> ControlCall? {
        func parameters<Value: Codable>(_ type: Value.Type) -> Value? {
            guard let call = Varlink.decode(Varlink.Parameters<Value>.self, message) else {
                return nil
            }
            // A call without parameters equals one with none of them set.
            return call.parameters ?? Varlink.decode(type, Array("{}".utf8))
        }
        switch self {
        case .getStatus: return .getStatus
        case .monitor: return .monitor
        case .pause: return parameters(ControlCall.PauseCall.self).map { .pause($0) }
        case .resume: return .resume
        case .consent: return parameters(ControlCall.ConsentCall.self).map { .consent($0.receipt) }
        case .withdraw: return .withdraw
        case .forget: return parameters(ControlCall.ForgetCall.self).map { .forget($0) }
        case .exempt: return parameters(ExemptCall.self).map { .exempt($0) }
        case .listExemptions: return .listExemptions
        case .answerExemption:
            return parameters(AnswerCall.self).map { .answerExemption($0) }
        case .decideExemption:
            return parameters(ControlCall.DecideCall.self).map { .decideExemption($0.decision) }
        case .exclude: return parameters(ExcludeCall.self).map { .exclude($0) }
        case .explain: return .explain
        case .reload: return .reload
        case .flush: return .flush
        }
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
