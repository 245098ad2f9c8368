// SPDX-License-Identifier: Apache-2.0

import Events
package import Packing

/// The descriptions of devices and desktop that a reader has passed on.
///
/// Promise: a description comes before its first use, and again only when it has changed.
package struct Descriptions {
    private var devices: [UInt8: Device] = [:]
    private var screen: ScreenLayout?
    /// The devices of the present batch whose descriptions were compared: they hold for all of it.
    private var compared = DeviceSet()
    private var isScreenCompared = false

    /// Has passed on nothing.
    package init() {}

    /// Begins a batch, whose descriptions are to be compared once.
    package mutating func beginBatch() {
        (compared, isScreenCompared) = (DeviceSet(), false)
    }

    /// Finds what is to be passed on before an item, and takes it for passed on.
    ///
    /// - Parameters:
    ///   - item: of the batch.
    ///   - batch: the one that was begun last.
    /// - Returns: the descriptions that have changed, of the desktop and of the item's device.
    package mutating func news(of item: OpenedItem, in batch: OpenedBatch) -> [OpenedItem] {
        guard item.payload.isInput else { return [] }
        if isScreenCompared, compared.contains(item.device) { return [] }
        compared.insert(item.device)
        isScreenCompared = true
        var news: [OpenedItem.Payload] = []
        if let new = batch.screen, new != screen {
            screen = new
            news.append(.screen(new))
        }
        if let new = batch.devices[item.device], new != devices[item.device] {
            devices[item.device] = new
            news.append(.device(new))
        }
        return news.map { OpenedItem(time: item.time, device: item.device, payload: $0) }
    }
}
