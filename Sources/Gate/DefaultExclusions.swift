// SPDX-License-Identifier: Apache-2.0

/// What is not recorded unless the person says otherwise.
package struct DefaultExclusion: Sendable {
    /// The word by which the person removes and restores it.
    package let name: String
    /// What it covers, for people.
    package let summary: String
    package let rules: [Rule]

    private init(_ name: String, _ summary: String, _ rules: [Rule]) {
        self.name = name
        self.summary = summary
        self.rules = rules
    }

    /// The name of the one that leaves out prompts for secrets on terminals.
    package static let terminalPrompts = "terminal-prompts"

    /// All of them, in the order in which they are listed.
    package static let all = [
        DefaultExclusion("password-managers", "password managers and key rings", apps(managers)),
        DefaultExclusion("askpass", "pinentry, askpass and authorisation dialogs", apps(askpass)),
        DefaultExclusion("lockers", "screen lockers", apps(lockers)),
        DefaultExclusion(
            "screen-keyboards",
            "on-screen keyboards, where the place of a click is the letter",
            apps(screenKeyboards)
        ),
        DefaultExclusion(
            "private-browsing",
            "windows that their browser marks as private",
            privateWindows
        ),
        DefaultExclusion(
            "unmarked-browsers",
            "browsers whose private windows look like others (Chromium, Chrome, Edge, …)",
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

    /// Classes or instances of WM_CLASS; Electron programs have their product's name.
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

    /// With the desktops that draw theirs themselves, whose panels are left out with them.
    private static let screenKeyboards = [
        "onboard*", "florence", "xvkbd", "xkbd", "kvkbd", "qvkbd", "svkbd*", "vboard", "jkbd",
        "matchbox-keyboard*", "cellwriter", "caribou*", "maliit*", "corekeyboard*", "iok", "gok",
        "dasher", "gnome-shell", "cinnamon",
    ]

    /// Browsers whose windows, private or not, nothing tells apart: in doubt nothing is recorded.
    ///
    /// Who browses privately elsewhere removes the exclusion.
    private static let unmarkedBrowsers = [
        "*chrom*", "brave*", "microsoft-edge*", "msedge*", "vivaldi*", "opera*", "*epiphany*",
        "qutebrowser*", "*thorium*", "yandex-browser*", "ungoogled*",
    ]

    /// What shows another screen: whose input it is there nobody can tell here.
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

    /// Private windows, as far as their browser says that they are.
    ///
    /// Seen on X11 with Firefox ESR 153, Chromium 156, Falkon 22.12, GNOME Web 43, qutebrowser 2.5:
    /// - Firefox marks the title, in every language; not in a profile that is always private, nor
    ///   in windows without tabs (Page Info), which show the address of the page.
    /// - Falkon marks the instance, the same in every language, and the title.
    /// - Chromium marks nothing: no property of an incognito window differs from another's but its
    ///   number, place and times. Only the page of a new incognito tab has a title that tells.
    /// - GNOME Web marks nothing. qutebrowser marks the title where its setting window.title_format
    ///   has {private}, which the default has not.
    ///
    /// What runs as a program of its own can be given a class that is left out:
    /// `chromium --incognito --class=incognito --user-data-dir=FOLDER`; a Chromium that runs
    /// already on that folder ignores it. Other browsers were not seen: their words are hearsay.
    private static let privateWindows: [Rule] = {
        let firefox = [
            "firefox*", "navigator", "librewolf*", "waterfox*", "floorp*", "zen*", "icecat*",
            "palemoon*", "pale moon*", "seamonkey*", "basilisk*",
        ]
        let others = unmarkedBrowsers + ["falkon*", "konqueror*", "midori*"]
        // Private whatever their title says.
        let always = apps([
            "tor browser*", "mullvad browser*", "falkon browser (private*", "*incognito*",
            "*inprivate*",
        ])
        let titles = Glob(anyOf: PrivateTitles.all.map { "*\($0)*" })
        return always + [Rule(app: Glob(anyOf: firefox + others), title: titles)]
    }()
}
