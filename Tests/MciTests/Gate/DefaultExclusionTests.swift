// SPDX-License-Identifier: Apache-2.0

import Events
import Gate
import Testing

/// Each pattern of the default exclusions has a program here that no other pattern covers, named as
/// it names its windows.
@Suite struct DefaultExclusionTests {
    private static let programs: [String: [String]] = [
        "password-managers": [
            "KeePassXC", "org.keepassxc.KeePassXC", "Bitwarden", "1Password", "Enpass",
            "Buttercup", "org.gnome.seahorse.Application", "kwalletmanager5",
            "org.kde.kwalletmanager5", "QtPass", "org.ijhack.QtPass", "pwsafe", "PasswordSafe",
            "Proton Pass", "Dashlane", "NordPass", "LastPass", "Keeper Password Manager",
            "Revelation", "Passky", "org.gnome.World.Secrets", "org.gnome.PasswordSafe",
            "Password-Gorilla", "GPass", "Figaro's Password Manager 2", "RoboForm",
            "Authenticator", "com.belmoussaoui.gnome.Authenticator", "yubioath-desktop",
            "com.yubico.authenticator", "gnome-keyring-prompt", "kgpg", "kleopatra",
        ],
        "askpass": [
            "Pinentry-gtk-2", "Gcr-prompter", "ksshaskpass", "gksudo", "kdesudo", "lxqt-sudo",
            "lxqt-policykit-agent", "polkit-agent-helper-1", "org.gnome.PolicyKit", "lxpolkit",
            "polkit-authentication", "systemd-ask-password-gnome", "Nm-applet",
            "Nm-connection-editor", "Zenity", "kdialog", "Yad", "Xdialog", "Gxmessage",
            "VeraCrypt", "zuluCrypt-gui", "luckyLUKS", "xfce-polkit",
            "io.elementary.desktop.polkit",
            "pantheon-polkit", "org.budgie.polkit", "ukui-polkit", "matedialog", "qarma",
            "ktsuss", "gpa", "kded5",
        ],
        "lockers": [
            "i3lock", "XScreenSaver", "xsecurelock", "slock", "xlock", "Light-locker",
            "Gnome-screensaver", "Mate-screensaver", "Cinnamon-screensaver",
            "Xfce4-screensaver", "kscreenlocker_greet", "physlock", "betterlockscreen",
            "budgie-screensaver", "lightdm-gtk-greeter.bin", "sddm-greeter-qt6", "Slick-greeter",
        ],
        "screen-keyboards": [
            "Onboard", "Florence", "XVkbd", "xkbd", "kvkbd", "qvkbd", "svkbd-mobile-intl",
            "vboard", "jkbd", "matchbox-keyboard", "CellWriter", "caribou", "maliit-server",
            "CoreKeyboard", "iok", "gok", "Dasher", "gnome-shell", "Cinnamon",
        ],
        "private-browsing": [
            "Tor Browser", "Mullvad Browser", "Falkon Browser (Private Window)", "incognito",
            "edge-inprivate",
        ],
        "unmarked-browsers": unmarked,
        "nested-screens": [
            "Xephyr", "Xnest", "Vncviewer", "TigerVNC Viewer", "RealVNC Viewer",
            "TurboVNC", "ssvnc", "Vinagre", "krdc", "Remmina", "org.remmina.Remmina",
            "xfreerdp", "sdl-freerdp", "wlfreerdp", "rdesktop", "org.gnome.Connections",
            "Virt-manager",
            "Virt-viewer", "org.virt_manager.remote-viewer", "Spicy", "Qemu-system-x86_64",
            "gnome-boxes",
            "org.gnome.Boxes", "VirtualBox Machine", "VBoxSDL", "Vmware", "Vmplayer", "Vmrc",
            "TeamViewer", "Anydesk", "RustDesk", "Nxplayer.bin", "NoMachine", "nxclient",
            "x2goclient",
            "X2GoAgent", "NXAgent", "Xpra", "Wfica", "Citrix Workspace", "Horizon-client",
            "parsecd", "Moonlight", "looking-glass-client", "scrcpy", "Waydroid",
            "Weston Compositor",
        ],
    ]
    private static let unmarked = [
        "Google-chrome", "Brave-browser", "Microsoft-edge", "msedge", "Vivaldi-stable", "Opera",
        "org.gnome.Epiphany", "qutebrowser", "Thorium-browser", "Yandex-browser", "ungoogled",
    ]
    private static let browsers =
        unmarked + [
            "firefox-esr", "Navigator", "LibreWolf", "waterfox", "floorp", "zen", "IceCat",
            "Palemoon", "Pale moon", "SeaMonkey", "Basilisk", "Falkon", "konqueror", "Midori",
        ]

    private func covers(_ name: String, _ app: String, _ title: String? = "") -> Bool {
        let window = WindowFacts(app: app, title: title)
        return DefaultExclusion.all.contains { exclusion in
            exclusion.name == name && exclusion.rules.contains { $0.matches(window) }
        }
    }

    @Test(arguments: programs.keys)
    func `an exclusion covers its programs whatever their title`(name: String) {
        for app in Self.programs[name] ?? [] { #expect(covers(name, app), "\(app)") }
        #expect(!covers(name, "Editor"))
    }

    @Test func `every browser is covered in private windows alone`() {
        for app in Self.browsers {
            #expect(covers("private-browsing", app, "News (Private)"), "\(app)")
            #expect(!covers("private-browsing", app, "News"), "\(app)")
        }
    }

    @Test func `the exclusions have their names and say what they cover`() {
        let names = [
            "password-managers", "askpass", "lockers", "screen-keyboards", "private-browsing",
            "unmarked-browsers", "nested-screens", "terminal-prompts",
        ]
        #expect(DefaultExclusion.all.map(\.name) == names)
        #expect(DefaultExclusion.all.allSatisfy { !$0.summary.isEmpty })
        let prompt = WindowFacts(app: "XTerm", mayAskForSecret: true)
        #expect(DefaultExclusion.all.last?.rules.first?.matches(prompt) == true)
    }
}
