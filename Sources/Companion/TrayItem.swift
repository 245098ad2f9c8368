// SPDX-License-Identifier: Apache-2.0

import Bus
import Control
import Glibc
import Person

/// The icon in the panel with its menu: a StatusNotifierItem.
///
/// Upstream: mcid's status. Downstream: the panels of the desktop, and the person's choices.
/// Promise: it is there in each panel that asks for such items, whenever the panel starts; where
/// there is none, nothing happens.
final class TrayItem {
    private let bus: BusConnection
    private let choose: (Menu.Item) -> Void
    private var menu = Menu()
    private var revision: UInt32 = 1
    /// Whether a panel shows such items.
    private(set) var isInPanel = false
    /// What was clicked in the message that is being answered.
    private var chosen: [Menu.Item] = []

    private static let watcher = "org.kde.StatusNotifierWatcher"
    private static let interface = "org.kde.StatusNotifierItem"
    private static let menuInterface = "com.canonical.dbusmenu"
    private static let path = "/StatusNotifierItem"
    private static let menuPath = "/MenuBar"
    private static let name = "\(interface)-\(getpid())-1"

    /// Makes the icon known to the panels, those of now and later ones.
    ///
    /// - Parameters:
    ///   - bus: the session's bus.
    ///   - choose: takes what the person chose.
    init(_ bus: BusConnection, choose: @escaping (Menu.Item) -> Void) {
        (self.bus, self.choose) = (bus, choose)
        let arguments: [BusValue] = [.string(Self.name), .uint32(4)]
        let path = "/org/freedesktop/DBus"
        bus.call(.call(BusConnection.bus, path, BusConnection.bus, "RequestName", arguments)) { _ in
        }
        bus.matchOwner(of: Self.watcher)
        bus.owner(of: Self.watcher) { [weak self] in self?.register(at: $0) }
    }

    private func register(at owner: String?) {
        isInPanel = owner != nil
        guard isInPanel else { return }
        let call = BusMessage.call(
            Self.watcher,
            "/StatusNotifierWatcher",
            Self.watcher,
            "RegisterStatusNotifierItem",
            [.string(Self.name)]
        )
        bus.call(call) { _ in }
    }

    /// Shows what is known of openings.
    ///
    /// - Parameter openings: what the holder says.
    func show(openings: Openings) {
        menu.openings = openings
        show(menu.status)
    }

    /// Shows a status.
    ///
    /// - Parameter status: mcid's; nil while it does not run.
    func show(_ status: Status?) {
        let before = (look, Words.state(menu.status))
        menu.status = status
        revision += 1
        bus.send(
            .signal(
                Self.menuPath,
                Self.menuInterface,
                "LayoutUpdated",
                [.uint32(revision), .int32(0)]
            )
        )
        guard before != (look, Words.state(status)) else { return }
        for signal in ["NewIcon", "NewToolTip"] {
            bus.send(.signal(Self.path, Self.interface, signal))
        }
    }

    private var look: Icon.Look {
        switch menu.status?.state {
        case .recording: .recording
        case .paused: .paused
        default: .closed
        }
    }

    // MARK: What panels ask

    /// Takes a message of the session's bus.
    func take(_ message: BusMessage) {
        if let change = message.ownerChange, change.name == Self.watcher {
            return register(at: change.owner)
        }
        guard message.kind == .call else { return }
        let reply = answer(message).map { message.reply($0) }
        let unknown = "org.freedesktop.DBus.Error.UnknownMethod"
        if !message.wantsNoReply { bus.send(reply ?? message.refusal(unknown)) }
        // After the reply, for one of them ends the companion.
        let items = chosen
        chosen = []
        for item in items { choose(item) }
    }

    private func answer(_ call: BusMessage) -> [BusValue]? {
        let body = call.body
        switch (call.interface, call.member) {
        case ("org.freedesktop.DBus.Peer", "Ping"): return []
        case ("org.freedesktop.DBus.Properties", "GetAll"):
            let names = call.path == Self.menuPath ? Self.menuNames : Self.itemNames
            return [
                .dictionary(
                    names.compactMap { name in property(name, of: call.path).map { (name, $0) } }
                )
            ]
        case ("org.freedesktop.DBus.Properties", "Get"):
            let name = body.dropFirst().first?.text ?? ""
            return property(name, of: call.path).map { [.variant($0)] }
        case (Self.interface, _):
            // A click opens the menu (ItemIsMenu); other clicks and the wheel do nothing.
            return []
        case (Self.menuInterface, "GetLayout"):
            guard let parent = body.first.flatMap(item), body.count == 3,
                let depth = body[1].number
            else { return nil }
            return [.uint32(revision), menu.layout(parent, depth: depth)]
        case (Self.menuInterface, "GetGroupProperties"):
            let asked = body.first?.elements.compactMap(item) ?? []
            let items = asked.isEmpty ? Menu.Item.allCases : asked
            return [
                .array(
                    of: "(ia{sv})",
                    items.map { .record([.int32($0.rawValue), menu.properties($0)]) }
                )
            ]
        case (Self.menuInterface, "GetProperty"):
            guard let item = body.first.flatMap(item), body.count == 2, let name = body[1].text
            else { return nil }
            return menu.properties(item)[key: name].map { [.variant($0)] }
        case (Self.menuInterface, "Event"):
            note(body)
            return []
        case (Self.menuInterface, "EventGroup"):
            for event in body.first?.elements ?? [] { note(event.elements) }
            return [.array(of: "i", [])]
        case (Self.menuInterface, "AboutToShow"): return [.boolean(false)]
        case (Self.menuInterface, "AboutToShowGroup"):
            return [.array(of: "i", []), .array(of: "i", [])]
        default: return nil
        }
    }

    private func item(_ value: BusValue) -> Menu.Item? {
        value.number.flatMap { Menu.Item(rawValue: Int32(truncatingIfNeeded: $0)) }
    }

    private func note(_ event: [BusValue]) {
        guard event.count >= 2, event[1].text == "clicked", let item = item(event[0]) else {
            return
        }
        chosen.append(item)
    }

    private static let menuNames = ["Version", "TextDirection", "Status", "IconThemePath"]
    private static let itemNames = [
        "Category", "Id", "Title", "Status", "WindowId", "ItemIsMenu", "Menu", "IconName",
        "IconPixmap", "OverlayIconName", "OverlayIconPixmap", "AttentionIconName",
        "AttentionIconPixmap", "AttentionMovieName", "IconThemePath", "ToolTip",
    ]

    /// A property of an object; panels ask for each, also for those that are empty.
    private func property(_ name: String, of path: String?) -> BusValue? {
        let noPixmaps = BusValue.array(of: "(iiay)", [])
        switch (path == Self.menuPath, name) {
        case (true, "Version"): return .uint32(3)
        case (true, "TextDirection"): return .string("ltr")
        case (true, "Status"): return .string("normal")
        case (true, "IconThemePath"): return .strings([])
        case (true, _): return nil
        case (_, "Category"): return .string("SystemServices")
        case (_, "Id"), (_, "Title"): return .string("mci")
        case (_, "Status"): return .string("Active")
        case (_, "WindowId"): return .int32(0)
        case (_, "ItemIsMenu"): return .boolean(true)
        case (_, "Menu"): return .path(Self.menuPath)
        case (_, "IconPixmap"): return Icon.pixmaps(look)
        case (_, "OverlayIconPixmap"), (_, "AttentionIconPixmap"): return noPixmaps
        case (_, "ToolTip"):
            let words = Words.state(menu.status)
            return .record([.string(""), noPixmaps, .string("mci"), .string(words)])
        default: return Self.itemNames.contains(name) ? .string("") : nil
        }
    }
}
