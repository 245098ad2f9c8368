// SPDX-License-Identifier: Apache-2.0

import Events
import Gate
import Person
import Policy

/// A setting: the person's choice, the policy's limit, and the value in force.
struct EffectiveSetting: Encodable {
    /// Its name in `mcictl set`.
    var name: String
    var yours: String
    /// nil if the policy says nothing.
    var policy: String?
    var inForce: String

    private var cells: [String] { [name, yours, policy.map { "\($0) at most" } ?? "–", inForce] }

    /// The lines of a table of settings.
    static func table(_ settings: [EffectiveSetting]) -> [String] {
        TableText.lines([["SETTING", "YOURS", "POLICY", "IN FORCE"]] + settings.map(\.cells))
    }

    /// All settings that a policy may limit.
    static func all(
        _ person: PersonSettings,
        _ policy: ManagedPolicy?,
        now: WallTime
    ) -> [EffectiveSetting] {
        var own = Restrictions()
        own.keyDetail = person.keyDetail(at: now)
        own.retention = person.retention ?? PersonSettings.defaultRetention
        own.ringSize = person.bytes
        own.storesTitles = person.title ?? false
        own.recordsSyntheticKeys = person.syntheticKeys ?? false
        let effective = own.stricter(policy?.restrictions ?? Restrictions())
        return [
            EffectiveSetting(
                name: "key-detail",
                yours: own.keyDetail.rawValue,
                policy: policy?.keyDetail?.rawValue,
                inForce: effective.keyDetail.rawValue
            ),
            amount("retention", own, policy, effective, \.retention, Quantity.duration),
            amount("ring-size", own, policy, effective, \.ringSize, Quantity.size),
            choice("title", own, policy?.titles, effective, \.storesTitles),
            choice("synthetic-keys", own, policy?.syntheticKeys, effective, \.recordsSyntheticKeys),
        ]
    }

    private static func choice(
        _ name: String,
        _ own: Restrictions,
        _ policy: Bool?,
        _ effective: Restrictions,
        _ value: (Restrictions) -> Bool
    ) -> EffectiveSetting {
        func word(_ isOn: Bool) -> String { isOn ? "on" : "off" }
        return EffectiveSetting(
            name: name,
            yours: word(value(own)),
            policy: policy.map(word),
            inForce: word(value(effective))
        )
    }

    /// Says if the policy allows less than the person just chose.
    static func reportCeiling(
        _ name: String,
        _ person: PersonSettings,
        _ installation: Installation
    ) {
        guard let policy = (try? installation.policy()) ?? nil else { return }
        for setting in all(person, policy, now: installation.now.wall)
        where setting.name == name && setting.inForce != setting.yours {
            Terminal.report(
                "The policy allows no more than \(setting.inForce), so that is in force."
            )
        }
    }

    private static func amount(
        _ name: String,
        _ own: Restrictions,
        _ policy: ManagedPolicy?,
        _ effective: Restrictions,
        _ value: (Restrictions) -> Int?,
        _ words: (Int) -> String
    ) -> EffectiveSetting {
        func text(_ restrictions: Restrictions) -> String? { value(restrictions).map(words) }
        return EffectiveSetting(
            name: name,
            yours: text(own) ?? "",
            policy: policy.map(\.restrictions).flatMap(text),
            inForce: text(effective) ?? ""
        )
    }
}
