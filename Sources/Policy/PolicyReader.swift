// SPDX-License-Identifier: Apache-2.0

import Events
import Gate

/// Parses a policy from its JSON, and continues after a defect to find the others.
struct PolicyReader {
    var defects: [JSONDefect] = []

    /// Parses the root object; nil when there are defects.
    mutating func policy(_ root: JSONText.Node, hash: String) -> ManagedPolicy? {
        let required = ["schema", "purpose", "controller", "contact"]
        defects += root.defects(of: "a policy", allowed: ManagedPolicy.keys, required: required)
        guard case .object = root.value else { return nil }
        take(root, "schema") { node throws(JSONDefect) in
            guard try node.integer("schema") == 1 else {
                throw JSONDefect(node.line, "This version of mci reads policies of schema 1 only.")
            }
        }
        var policy = ManagedPolicy(
            purpose: text(root, "purpose", 1000) ?? "",
            controller: text(root, "controller", 200) ?? "",
            contact: text(root, "contact", 200) ?? "",
            hash: hash
        )
        policy.lawfulBasis = choice(root, "lawfulBasis")
        policy.notice = text(root, "notice", 4000, lines: true)
        policy.keyDetail = choice(
            root,
            "keyDetail",
            former: (KeyDetail.formerName, KeyDetail.activity.rawValue)
        )
        policy.retention = amount(
            root,
            "retention",
            Quantity.seconds,
            SettingRanges.retentions,
            "a duration from 1m to 3653d, such as 7d or 12h"
        )
        policy.ringSize = amount(
            root,
            "ringSize",
            Quantity.bytes,
            SettingRanges.ringSizes,
            "a size from 3M to 64G, such as 64M"
        )
        policy.titles = take(root, "titles") { node throws(JSONDefect) in try node.bool("titles") }
        policy.syntheticKeys = take(root, "syntheticKeys") { node throws(JSONDefect) in
            try node.bool("syntheticKeys")
        }
        policy.pauseCap = amount(
            root,
            "pauseCap",
            Quantity.seconds,
            ManagedPolicy.pauseCaps,
            "a duration from 30m to 366d, such as 4h: everyone may pause for half an hour"
        )
        policy.companion = take(root, "companion") { node throws(JSONDefect) in
            try node.bool("companion")
        }
        policy.exclude = list(root, "exclude", most: 1000) { $0.rule($1) }
        policy.only = list(root, "only", most: 1000) { $0.glob($1, "An entry of only") }
        policy.stewards = list(root, "stewards", most: 16) { $0.steward($1) }
        policy.releases = take(root, "releases") { node throws(JSONDefect) in
            try node.bool("releases")
        }
        policy.purposes = list(root, "purposes", most: 16) { $0.purposeSigners($1) }
        checkDistinct(root)
        return defects.isEmpty ? policy : nil
    }

    // MARK: Parts

    private mutating func rule(_ node: JSONText.Node) -> Rule? {
        let keys = ["app", "title", "device", "during", "asker"]
        let wrong = node.defects(of: "a rule", allowed: keys)
        defects += wrong
        guard case .object(let members) = node.value else { return nil }
        if members.isEmpty {
            add(
                node.line,
                "An empty rule would exclude everything. Name an app, a title, a device, hours or an "
                    + "asker; to record nothing, do not install mci."
            )
        }
        var rule = Rule()
        rule.app = node["app"].flatMap { glob($0, "app") }
        rule.title = node["title"].flatMap { glob($0, "title") }
        rule.device = node["device"].flatMap { glob($0, "device") }
        rule.during = take(node, "during") { node throws(JSONDefect) in
            let text = try node.string("during")
            guard let hours = WeekHours(text) else {
                throw JSONDefect(
                    node.line,
                    "\(JSONText.quoted(text)) is not a span of hours. "
                        + "Examples: Mon-Fri 12:00-13:00, Sat,Sun, 22:00-06:00."
                )
            }
            return hours
        }
        rule.asker = take(node, "asker") { node throws(JSONDefect) in
            let text = try node.string("asker")
            if members.count > 1 {
                throw JSONDefect(node.line, "asker must be alone in its rule.")
            }
            guard let asker = SecretAsker(text) else {
                throw JSONDefect(node.line, SecretAsker.defect(of: text) ?? "")
            }
            return asker
        }
        return rule
    }

    private mutating func glob(_ node: JSONText.Node, _ what: String) -> Glob? {
        checked(node, what, 256).flatMap { Glob($0) }
    }

    private mutating func steward(_ node: JSONText.Node) -> Steward? {
        let keys = ["name", "key"]
        defects += node.defects(of: "a steward", allowed: keys, required: keys)
        let name = text(node, "name", 200)
        let key = take(node, "key") { node throws(JSONDefect) in
            let text = try node.string("key")
            guard let key = StewardKey(text) else {
                throw JSONDefect(
                    node.line,
                    "\(JSONText.quoted(text)) is not an Ed25519 public key: 32 bytes in hexadecimal or "
                        + "base64, and not a weak key. Create one: mcictl steward keygen"
                )
            }
            return key
        }
        guard let name, let key else { return nil }
        return Steward(name: name, key: key)
    }

    private mutating func purposeSigners(
        _ node: JSONText.Node
    ) -> ManagedPolicy.PurposeSigners? {
        let keys = ["authority", "steward"]
        defects += node.defects(of: "an entry of purposes", allowed: keys, required: keys)
        func key(_ name: String) -> String? {
            take(node, name) { node throws(JSONDefect) in
                let text = try node.string(name)
                guard ManagedPolicy.PurposeSigners.isKey(text) else {
                    throw JSONDefect(
                        node.line,
                        "\(JSONText.quoted(text)) is not the public key of a note, NAME+ID+KEY. "
                            + "Create one: mci-read key new"
                    )
                }
                return text
            }
        }
        guard let authority = key("authority"), let steward = key("steward") else { return nil }
        return ManagedPolicy.PurposeSigners(authority: authority, steward: steward)
    }

    /// Two stewards with one name are indistinguishable, and two with one key are the same.
    private mutating func checkDistinct(_ root: JSONText.Node) {
        guard case .array(let nodes) = root["stewards"]?.value else { return }
        var (names, keys): (Set<String>, Set<StewardKey>) = ([], [])
        for node in nodes {
            if let name = node["name"], let text = try? name.string("name"),
                !names.insert(text).inserted
            {
                add(name.line, "\(JSONText.quoted(text)) is also the name of another steward.")
            }
            if let key = node["key"], let text = try? key.string("key"),
                let value = StewardKey(text), !keys.insert(value).inserted
            {
                add(key.line, "This is also the key of another steward.")
            }
        }
    }
}
