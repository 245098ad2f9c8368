// SPDX-License-Identifier: Apache-2.0

import Events

/// The restrictions as they are at one minute of the week, with the devices that there are.
///
/// Asked once when the window in front changes, never for an event.
struct RuleBook {
    private var restrictions = Restrictions()
    /// The names of the devices, by their XInput2 id.
    private var devices: [UInt8: String] = [:]
    /// The rules that are in force now, the person's first.
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

    /// What becomes of the input of a window.
    ///
    /// The strictest of what it is in and what is in it decides.
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

/// What becomes of the input of a window: recorded, recorded but for some devices, or nothing.
struct Verdict {
    /// Why nothing is recorded; nil when something is.
    private(set) var refusal: GapReason?
    /// The devices of which nothing is recorded.
    private var devices = DeviceSet()
    private(set) var deviceReason: GapReason?

    init(refusal: GapReason? = nil) {
        self.refusal = refusal
    }

    /// Whether nothing is recorded of some device, or of any.
    var dropsAny: Bool { refusal != nil || deviceReason != nil }

    /// Whether nothing of a device is recorded.
    func rejection(_ device: UInt8) -> Bool {
        refusal != nil
            || (deviceReason != nil && devices.contains(device))
    }

    /// Leaves out also what another one leaves out.
    mutating func add(_ other: Verdict) {
        refusal = refusal ?? other.refusal
        deviceReason = deviceReason ?? other.deviceReason
        devices.formUnion(other.devices)
    }

    /// Leaves out the devices that a pattern names, and those whose name nobody knows.
    mutating func drop(_ pattern: Glob, _ names: [UInt8: String], for reason: GapReason) {
        deviceReason = deviceReason ?? reason
        for device in UInt8.min...UInt8.max where names[device].map(pattern.matches) ?? true {
            devices.insert(device)
        }
    }
}
