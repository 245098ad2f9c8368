// SPDX-License-Identifier: Apache-2.0

import Bus

/// The owners of names on a bus.
extension BusConnection {
    /// Asks for signals about the owner of a name.
    func matchOwner(of name: String) {
        match(
            "type='signal',sender='\(Self.bus)',interface='\(Self.bus)',"
                + "member='NameOwnerChanged',arg0='\(name)'"
        )
    }

    /// Finds the unique name of a name's owner; nil if nobody owns it.
    func owner(of name: String, _ take: @escaping (String?) -> Void) {
        let path = "/org/freedesktop/DBus"
        call(.call(Self.bus, path, Self.bus, "GetNameOwner", [.string(name)])) { reply in
            take(reply?.kind == .reply ? reply?.body.first?.text : nil)
        }
    }
}

extension BusMessage {
    /// The name whose owner changed, and the new owner; nil for another message.
    var ownerChange: (name: String, owner: String?)? {
        guard sender == BusConnection.bus, member == "NameOwnerChanged", body.count == 3,
            let name = body[0].text, let owner = body[2].text
        else { return nil }
        return (name, owner.isEmpty ? nil : owner)
    }
}
