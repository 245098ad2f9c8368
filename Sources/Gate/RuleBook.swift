// SPDX-License-Identifier: Apache-2.0

import Events

/// The restrictions in force at one minute of the week, with the present devices.
///
/// It is consulted when the window in front changes, never per event.
struct RuleBook {
    private var restrictions = Restrictions()
    /// The names of the devices, by XInput2 id.
    private var devices: [UInt8: String] = [:]
    /// The rules in force now, the person's first.
    private var rules: [(rule: Rule, reason: GapReason)] = []

    init() {}

    mutating func use(_ new: Restrictions, at minute: WeekMinute) {
        restrictions = new
        let exempt = new.exemptions.map { (rule: $0, reason: GapReason.exempt) }
        let excluded = new.exclusions.map { (rule: $0, reason: GapReason.excluded) }
        rules = (exempt + excluded).filter { $0.rule.isInForce(at: minute) }
    }

    mutating func use(devices: [UInt8: String]) {
        self.devices = devices
    }

    var storesTitles: Bool { restrictions.storesTitles }
    var recordsSyntheticKeys: Bool { restrictions.recordsSyntheticKeys }

    /// Decides about the input of a window.
    ///
    /// The strictest verdict on the window and the windows around it applies.
    func verdict(on window: WindowFacts) -> Verdict {
        var verdict = ownVerdict(on: window)
        for other in window.around { verdict.add(ownVerdict(on: other)) }
        return verdict
    }

    private func ownVerdict(on window: WindowFacts) -> Verdict {
        let window = WindowTexts(window)
        var verdict = Verdict()
        for (rule, reason) in rules where rule.matches(window) {
            guard let device = rule.device else { return Verdict(refusal: reason) }
            verdict.drop(device, devices, for: reason)
        }
        let isAllowed = restrictions.allowlists.allSatisfy { $0.contains(where: window.isSurelyOf) }
        return isAllowed ? verdict : Verdict(refusal: .notAllowed)
    }
}

/// The decision about a window's input: all, all but some devices, or nothing is recorded.
struct Verdict {
    /// The reason for recording nothing; nil if something is recorded.
    private(set) var refusal: GapReason?
    /// The devices whose input is not recorded.
    private var devices = DeviceSet()
    private(set) var deviceReason: GapReason?

    init(refusal: GapReason? = nil) {
        self.refusal = refusal
    }

    /// Whether the input of any device is not recorded.
    var dropsAny: Bool { refusal != nil || deviceReason != nil }

    /// Whether a device's input is not recorded.
    func rejection(_ device: UInt8) -> Bool {
        refusal != nil
            || (deviceReason != nil && devices.contains(device))
    }

    /// Excludes also what another verdict excludes.
    mutating func add(_ other: Verdict) {
        refusal = refusal ?? other.refusal
        deviceReason = deviceReason ?? other.deviceReason
        devices.formUnion(other.devices)
    }

    /// Excludes the devices that a pattern matches and those without a known name.
    mutating func drop(_ pattern: Glob, _ names: [UInt8: String], for reason: GapReason) {
        deviceReason = deviceReason ?? reason
        for device in UInt8.min...UInt8.max where names[device].map(pattern.matches) ?? true {
            devices.insert(device)
        }
    }
}
