// SPDX-License-Identifier: Apache-2.0

import Events
import Gate

extension ManagedPolicy: Encodable {
    private enum Key: String, CodingKey {
        case schema, purpose, controller, contact, lawfulBasis, notice, keyDetail, retention
        case ringSize, titles, syntheticKeys, pauseCap, companion, exclude, only, stewards
        case releases, purposes
        // Keys of rules, stewards and signers.
        case app, title, device, during, asker, name, key, authority, steward
    }

    /// Encodes the policy as its file would be, so that the result can be parsed again.
    ///
    /// - Parameter encoder: of JSON.
    /// - Throws: what the encoder throws.
    package func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: Key.self)
        try fields.encode(1, forKey: .schema)
        try fields.encode(purpose, forKey: .purpose)
        try fields.encode(controller, forKey: .controller)
        try fields.encode(contact, forKey: .contact)
        try fields.encodeIfPresent(lawfulBasis?.rawValue, forKey: .lawfulBasis)
        try fields.encodeIfPresent(notice, forKey: .notice)
        try fields.encodeIfPresent(keyDetail?.rawValue, forKey: .keyDetail)
        try fields.encodeIfPresent(retention.map(Quantity.duration), forKey: .retention)
        try fields.encodeIfPresent(ringSize.map(Quantity.size), forKey: .ringSize)
        try fields.encodeIfPresent(titles, forKey: .titles)
        try fields.encodeIfPresent(syntheticKeys, forKey: .syntheticKeys)
        try fields.encodeIfPresent(pauseCap.map(Quantity.duration), forKey: .pauseCap)
        try fields.encodeIfPresent(companion, forKey: .companion)
        if !exclude.isEmpty {
            var rules = fields.nestedUnkeyedContainer(forKey: .exclude)
            for rule in exclude {
                var parts = rules.nestedContainer(keyedBy: Key.self)
                try parts.encodeIfPresent(rule.app?.pattern, forKey: .app)
                try parts.encodeIfPresent(rule.title?.pattern, forKey: .title)
                try parts.encodeIfPresent(rule.device?.pattern, forKey: .device)
                try parts.encodeIfPresent(rule.during?.text, forKey: .during)
                try parts.encodeIfPresent(rule.asker?.pattern, forKey: .asker)
            }
        }
        if !only.isEmpty { try fields.encode(only.map(\.pattern), forKey: .only) }
        if !stewards.isEmpty {
            var list = fields.nestedUnkeyedContainer(forKey: .stewards)
            for steward in stewards {
                var parts = list.nestedContainer(keyedBy: Key.self)
                try parts.encode(steward.name, forKey: .name)
                try parts.encode(steward.key.text, forKey: .key)
            }
        }
        try fields.encodeIfPresent(releases, forKey: .releases)
        if !purposes.isEmpty {
            var list = fields.nestedUnkeyedContainer(forKey: .purposes)
            for signers in purposes {
                var parts = list.nestedContainer(keyedBy: Key.self)
                try parts.encode(signers.authority, forKey: .authority)
                try parts.encode(signers.steward, forKey: .steward)
            }
        }
    }
}
