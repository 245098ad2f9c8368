// SPDX-License-Identifier: Apache-2.0

/// A named set of rules that applies unless the person removes it.
package struct DefaultExclusion: Sendable {
    /// The name by which the person removes and restores it.
    package let name: String
    /// What it covers, in words for the person.
    package let summary: String
    /// The rules, each of which excludes input.
    package let rules: [Rule]

    private init(_ name: String, _ summary: String, _ rules: [Rule]) {
        self.name = name
        self.summary = summary
        self.rules = rules
    }

    /// The name of the exclusion for secret prompts on terminals.
    package static let terminalPrompts = "terminal-prompts"

    /// All default exclusions, in the order in which they are listed.
    package static let all = [
        DefaultExclusion("password-managers", "password managers and key rings", apps(managers)),
        DefaultExclusion("askpass", "pinentry, askpass and authorisation dialogs", apps(askpass)),
        DefaultExclusion("lockers", "screen lockers", apps(lockers)),
        DefaultExclusion(
            "screen-keyboards",
            "on-screen keyboards, where the position of a click reveals the letter",
            apps(screenKeyboards)
        ),
        DefaultExclusion(
            "private-browsing",
            "windows that the browser marks as private",
            privateWindows
        ),
        DefaultExclusion(
            "unmarked-browsers",
            "browsers that do not mark private windows (Chromium, Chrome, Edge, …)",
            apps(unmarkedBrowsers)
        ),
        DefaultExclusion(
            "nested-screens",
            "nested X servers, viewers of other screens and virtual machines (VNC, RDP, SPICE, …)",
            apps(nestedScreens)
        ),
        DefaultExclusion(
            terminalPrompts,
            "keys typed while a program in the terminal in front may be asking for a secret",
            [Rule(atSecretPrompts: true)]
        ),
    ]

    private static func apps(_ names: [String]) -> [Rule] {
        [Rule(app: Glob(anyOf: names))]
    }

    /// Class or instance of WM_CLASS; Electron programs use their product's name.
    private static let managers = [
        "keepass*", "org.keepassxc.*", "bitwarden*", "1password*", "enpass*", "buttercup*",
        "*seahorse*", "kwallet*", "org.kde.kwallet*", "qtpass*", "org.ijhack.qtpass*", "pwsafe*",
        "passwordsafe*", "proton pass*", "dashlane*", "nordpass*", "lastpass*", "keeper*password*",
        "revelation*", "passky*", "*gnome.world.secrets*", "*gnome.passwordsafe*",
        "password-gorilla*", "gpass*", "figaro*password*", "roboform*", "authenticator",
        "*gnome.authenticator*", "yubioath*", "*yubico*authenticator*", "gnome-keyring*", "kgpg*",
        "kleopatra*",
    ]

    private static let askpass = [
        "pinentry*", "gcr-prompter*", "*askpass*", "gksu*", "kdesu*", "lxqt-sudo*",
        "*polkit*agent*", "*policykit*", "lxpolkit*", "*polkit*authentication*",
        "systemd-ask-password*", "nm-applet", "nm-connection-editor", "zenity", "kdialog", "yad",
        "xdialog", "gxmessage", "veracrypt*", "zulucrypt*", "luckyluks*", "xfce-polkit*",
        "*elementary*polkit*", "*pantheon*polkit*", "*budgie*polkit*", "*ukui*polkit*",
        "matedialog", "qarma", "ktsuss*",
        "gpa", "kded5",
    ]

    private static let lockers = [
        "i3lock*", "xscreensaver*", "xsecurelock*", "slock*", "xlock*", "light-locker*",
        "gnome-screensaver*", "mate-screensaver*", "cinnamon-screensaver*", "xfce4-screensaver*",
        "kscreenlocker*", "physlock*", "betterlockscreen*", "lightdm*greeter*", "sddm*greeter*",
        "budgie-screensaver*", "*greeter",
    ]

    /// Includes desktops that draw their own on-screen keyboard, so their panels are excluded too.
    private static let screenKeyboards = [
        "onboard*", "florence", "xvkbd", "xkbd", "kvkbd", "qvkbd", "svkbd*", "vboard", "jkbd",
        "matchbox-keyboard*", "cellwriter", "caribou*", "maliit*", "corekeyboard*", "iok", "gok",
        "dasher", "gnome-shell", "cinnamon",
    ]

    /// Browsers whose private windows cannot be told from others; in doubt nothing is recorded.
    ///
    /// Whoever browses privately in another program can remove the exclusion.
    private static let unmarkedBrowsers = [
        "*chrom*", "brave*", "microsoft-edge*", "msedge*", "vivaldi*", "opera*", "*epiphany*",
        "qutebrowser*", "*thorium*", "yandex-browser*", "ungoogled*",
    ]

    /// Programs that show another screen, where the receiver of the input is unknown here.
    private static let nestedScreens = [
        "xephyr*", "xnest*", "*vncviewer*", "*tigervnc*", "*realvnc*", "*turbovnc*", "ssvnc*",
        "vinagre*", "krdc*", "remmina*", "*.remmina.*", "xfreerdp*", "sdl-freerdp*",
        "wlfreerdp*", "*rdesktop*", "*gnome*connections*", "virt-manager*", "virt-viewer*",
        "*remote-viewer*", "spicy*", "qemu*", "gnome-boxes*", "*gnome.boxes*", "virtualbox*",
        "vboxsdl*", "vmware*", "vmplayer*", "vmrc*", "teamviewer*", "anydesk*", "rustdesk*",
        "nxplayer*", "nomachine*", "nxclient*", "x2goclient*", "x2goagent*", "nxagent*", "xpra*",
        "wfica*", "*citrix*", "*horizon-client*", "parsec*", "moonlight*", "*looking-glass*",
        "scrcpy*",
        "waydroid*", "weston*",
    ]

    /// Private windows, as far as browsers mark them.
    ///
    /// Observed on X11 with Firefox ESR 153, Chromium 156, Falkon 22.12, GNOME Web 43, qutebrowser
    /// 2.5:
    /// - Firefox marks the title in every language. It does not in a profile that is always
    ///   private, nor in windows without tabs (Page Info), which show the page's address.
    /// - Falkon marks the instance, the same in every language, and the title.
    /// - Chromium marks nothing: an incognito window differs only in its id, position and times.
    ///   Only the start page of a new incognito tab has a distinct title.
    /// - GNOME Web marks nothing. qutebrowser marks the title if its setting window.title_format
    ///   contains {private}, which the default does not.
    ///
    /// A browser that runs as a separate program can get a class that is excluded:
    /// `chromium --incognito --class=incognito --user-data-dir=FOLDER`.
    /// A Chromium already running on that folder ignores the class. Other browsers were not
    /// observed; their words are second-hand.
    private static let privateWindows: [Rule] = {
        let firefox = [
            "firefox*", "navigator", "librewolf*", "waterfox*", "floorp*", "zen*", "icecat*",
            "palemoon*", "pale moon*", "seamonkey*", "basilisk*",
        ]
        let others = unmarkedBrowsers + ["falkon*", "konqueror*", "midori*"]
        // Private whatever the title says.
        let always = apps([
            "tor browser*", "mullvad browser*", "falkon browser (private*", "*incognito*",
            "*inprivate*",
        ])
        let titles = Glob(anyOf: PrivateTitles.all.map { "*\($0)*" })
        return always + [Rule(app: Glob(anyOf: firefox + others), title: titles)]
    }()
}
