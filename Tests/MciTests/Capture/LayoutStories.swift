// SPDX-License-Identifier: Apache-2.0

/// What is typed on each layout, and what the gate tells of it at `shortcuts`.
enum LayoutStories {
    /// Chords by their place on a us keyboard → class, modifiers, and the name where it is told.
    ///
    /// Keys of class modifier are pressed and left out here.
    static let all: [(LayoutNames, String)] = [
        (
            LayoutNames("us"),
            """
            q → letter
            shift+q → letter shift
            caps q caps → letter lock
            1 → digit
            shift+1 → punctuation shift
            - → punctuation
            space → space
            ctrl+c → letter ctrl c
            ctrl+shift+c → letter shift+ctrl C
            caps ctrl+c caps → letter lock+ctrl C
            alt+f → letter alt f
            super+1 → digit super 1
            ctrl+alt+t → letter ctrl+alt t
            ctrl+- → punctuation ctrl minus
            ctrl+space → space ctrl space
            kp1 → keypad
            num kp1 num → keypad numlock
            num kp5 num → keypad numlock
            num kpdot num → keypad numlock
            kpdiv → keypad
            kpenter → keypad
            ctrl+kp1 → keypad ctrl KP_End
            num ctrl+kp1 num → keypad ctrl+numlock KP_1
            return → editing Return
            shift+tab → editing shift ISO_Left_Tab
            left → navigation Left
            f1 → function F1
            """
        ),
        (
            LayoutNames("de"),
            """
            z → letter
            ctrl+z → letter ctrl y
            ; → letter
            ctrl+; → letter ctrl U00F6
            altgr+q → punctuation altgr
            altgr+e → punctuation altgr
            altgr+7 → punctuation altgr
            ctrl+altgr+q → punctuation ctrl+altgr
            alt+altgr+q → punctuation alt+altgr
            altgr+super+q → punctuation super+altgr
            = → punctuation
            ctrl+= → punctuation ctrl
            ` → punctuation
            lsgt → punctuation
            num kpdot num → keypad numlock
            """
        ),
        (
            LayoutNames("fr"),
            """
            q → letter
            ctrl+q → letter ctrl a
            1 → punctuation
            shift+1 → digit shift
            2 → letter
            ctrl+1 → punctuation ctrl ampersand
            ctrl+shift+1 → digit shift+ctrl 1
            altgr+0 → punctuation altgr
            ctrl+altgr+0 → punctuation ctrl+altgr
            [ → punctuation
            super+[ → punctuation super
            """
        ),
        (
            LayoutNames("fr", options: "caps:shiftlock"),
            """
            caps 1 caps → digit shift
            caps q caps → letter shift
            """
        ),
        (
            LayoutNames("us", variant: "dvorak"),
            """
            q → punctuation
            i → letter
            ctrl+i → letter ctrl c
            ctrl+c → letter ctrl j
            ctrl+q → punctuation ctrl apostrophe
            """
        ),
        (
            LayoutNames("ru"),
            """
            c → letter
            shift+c → letter shift
            , → letter
            ctrl+c → letter ctrl c
            ctrl+shift+c → letter shift+ctrl C
            ctrl+, → letter ctrl comma
            alt+f → letter alt f
            caps ctrl+c caps → letter lock+ctrl C
            ctrl+3 → digit ctrl 3
            ctrl+space → space ctrl space
            ctrl+kp1 → keypad ctrl KP_End
            / → punctuation
            """
        ),
        (
            LayoutNames("us,ru", options: "grp:menu_toggle"),
            """
            c → letter
            ctrl+[ → punctuation ctrl bracketleft
            menu [ menu → letter
            menu ctrl+[ menu → letter ctrl bracketleft
            menu ctrl+c menu → letter ctrl c
            menu ctrl+shift+c menu → letter shift+ctrl C
            menu , menu → letter
            menu ctrl+/ menu → punctuation ctrl slash
            , → punctuation
            """
        ),
        (
            LayoutNames("ru,fr", options: "grp:menu_toggle"),
            """
            ctrl+q → letter ctrl a
            menu ctrl+q menu → letter ctrl a
            q → letter
            """
        ),
        // On the Hebrew keyboard Q writes a slash: what counts is the group.
        (
            LayoutNames("us,il", options: "grp:menu_toggle"),
            """
            menu q menu → punctuation
            menu ctrl+q menu → punctuation ctrl q
            """
        ),
        (
            LayoutNames("gr"),
            """
            ; → punctuation
            ctrl+; → punctuation ctrl
            ctrl+c → letter ctrl c
            """
        ),
        (
            LayoutNames("us", options: "compose:menu"),
            """
            menu → punctuation
            ctrl+menu → punctuation ctrl
            """
        ),
        // Levels 3 and 5 of the ergonomic layout, with its keys for them.
        (
            LayoutNames("de", variant: "neo"),
            """
            caps+q → punctuation altgr
            ctrl+caps+q → punctuation ctrl+altgr
            lsgt+q → navigation altgr Prior
            lsgt+u → keypad altgr
            """
        ),
        // AltGr of the time before XKB: it switches the group, and that is all it does.
        (
            LayoutNames("us,de", options: "grp:switch"),
            """
            altgr+; → letter
            ctrl+altgr+; → letter ctrl U00F6
            """
        ),
    ]
}
