// SPDX-License-Identifier: Apache-2.0

import CX11
import Events
import Foundation
import Testing

/// A program whose window covers the desktop, and what the server told it of each button.
///
/// It has a connection of its own and uses nothing of capture: core events, with the pixel in them.
final class ClickWitness {
    struct Click: Equatable {
        var number: UInt8
        var isDown: Bool
        var pixel: Pixel
    }

    struct Heard {
        var click: Click
        /// The server's milliseconds.
        var time: UInt32
    }

    let hand: Hand
    let window: UInt

    init(_ desktop: Desktop) throws {
        hand = try Hand(desktop)
        window = hand.open(WindowPlan(app: "Canvas", frame: (0, 0, 4096, 4096), isPopup: true))
        hand.listen(window)
    }

    /// The buttons since the last call.
    func heard() -> [Heard] {
        hand.flush()
        var heard: [Heard] = []
        var event = XEvent()
        while XCheckMaskEvent(hand.display, ButtonPressMask | ButtonReleaseMask, &event) != 0 {
            let button = event.xbutton
            let click = Click(
                number: UInt8(button.button),
                isDown: event.type == ButtonPress,
                pixel: Pixel(x: Int16(button.x_root), y: Int16(button.y_root))
            )
            heard.append(Heard(click: click, time: UInt32(truncatingIfNeeded: button.time)))
        }
        return heard
    }
}

/// How the clicks of a recording differ from what the clicked program was told.
struct ClickVerdict: CustomStringConvertible {
    var told: Int
    var recorded: Int
    /// Recorded without a pixel.
    var unknown = 0
    /// At another pixel, or another button.
    var wrong = 0
    var mistimed = 0
    var example = ""

    /// - Parameters:
    ///   - heard: what the program was told, in its order.
    ///   - events: the lines of the export.
    ///   - offset: from the server's clock to milliseconds since 1970.
    init(_ heard: [ClickWitness.Heard], _ events: [[String: Any]], offset: Int64) {
        told = heard.count
        let buttons = events.filter { $0["type"] as? String == "button" }
        recorded = buttons.count
        for (truth, event) in zip(heard, buttons) {
            let time = (event["time"] as? String).flatMap { WallTime($0)?.milliseconds } ?? 0
            let server = UInt32(truncatingIfNeeded: time - offset)
            if abs(Int32(bitPattern: server &- truth.time)) > 2 { mistimed += 1 }
            let click = truth.click
            let (x, y) = (event["x"] as? Int, event["y"] as? Int)
            if event["button"] as? Int != Int(click.number)
                || (event["state"] as? String == "down") != click.isDown
            {
                wrong += 1
            } else if let x, let y {
                guard x != Int(click.pixel.x) || y != Int(click.pixel.y) else { continue }
                wrong += 1
                example = "\(x),\(y) instead of \(click.pixel.x),\(click.pixel.y)"
            } else {
                unknown += 1
            }
        }
    }

    /// Every click was recorded, and none at another pixel or time.
    var isTrue: Bool { recorded == told && wrong == 0 && mistimed == 0 }

    var description: String {
        """
        \(told) clicks, \(recorded) recorded, \(unknown) without a pixel, \(wrong) at another pixel, \
        \(mistimed) at another time\(example.isEmpty ? "" : " (\(example))")
        """
    }
}
