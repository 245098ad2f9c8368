# SPDX-License-Identifier: Apache-2.0
"""A desktop's buses for the tests: logind by python-dbusmock, and lockers, a panel and a server of
notifications by dbus-python. It takes a command a line, and answers each with a line of JSON."""
import json
import os
import subprocess
import sys
import time

import dbus
import dbus.lowlevel
import dbus.mainloop.glib
import dbus.service
from gi.repository import GLib

LOGIN, SESSION = "org.freedesktop.login1", "org.freedesktop.login1.Session"
MOCK, PROPERTIES = "org.freedesktop.DBus.Mock", "org.freedesktop.DBus.Properties"
WATCHER, NOTIFY = "org.kde.StatusNotifierWatcher", "org.freedesktop.Notifications"
MENU = "com.canonical.dbusmenu"


def bus():
    process = subprocess.Popen(["dbus-daemon", "--session", "--nofork", "--print-address"],
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return process, process.stdout.readline().strip()


class Watcher(dbus.service.Object):
    items = []

    @dbus.service.method(WATCHER, in_signature="s")
    def RegisterStatusNotifierItem(self, name):
        self.items.append(str(name))


class Notifications(dbus.service.Object):
    shown = []

    @dbus.service.method(NOTIFY, in_signature="susssasa{sv}i", out_signature="u")
    def Notify(self, app, replaces, icon, title, text, actions, hints, timeout):
        self.shown.append([str(title), str(text), int(hints["urgency"])])
        return len(self.shown)


def saver_class(name):
    """A locker whose interface has its own name, as each desktop's has."""
    class Saver(dbus.service.Object):
        active = False

        @dbus.service.method(name, out_signature="b")
        def GetActive(self):
            return self.active

        @dbus.service.signal(name, signature="b")
        def ActiveChanged(self, active):
            pass
    return Saver


class Desk:
    def __init__(self):
        dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
        (self.one, self.session_address), (self.two, self.system_address) = bus(), bus()
        self.session = dbus.bus.BusConnection(self.session_address)
        self.system = dbus.bus.BusConnection(self.system_address)
        environment = dict(os.environ, DBUS_SYSTEM_BUS_ADDRESS=self.system_address)
        self.mock = subprocess.Popen([sys.executable, "-m", "dbusmock", "--system", "--template",
                                      "logind"], env=environment, stdout=subprocess.DEVNULL)
        while not self.system.name_has_owner(LOGIN):
            time.sleep(0.02)
        self.manager = self.system.get_object(LOGIN, "/org/freedesktop/login1")
        path = self.manager.AddSession("c1", "seat0", dbus.UInt32(os.getuid()), "me", True,
                                       dbus_interface=MOCK)
        self.login = self.system.get_object(LOGIN, path)
        self.savers, self.panel, self.server = {}, None, None

    def own(self, name, make, path):
        """Another connection, which owns a name and has an object."""
        connection = dbus.bus.BusConnection(self.session_address)
        thing = make(connection, path)
        connection.request_name(name)
        return connection, thing

    # Commands

    def addresses(self):
        return [self.session_address, self.system_address]

    def admit_lockers(self):
        """What real lockers call and python-dbusmock lacks."""
        path = self.login.object_path
        self.manager.AddMethod(LOGIN + ".Manager", "GetSessionByPID", "u", "o", f"ret = '{path}'",
                               dbus_interface=MOCK)
        for name in ("LockedHint", "IdleHint"):
            code = f"self.UpdateProperties('{SESSION}', {{'{name}': args[0]}})"
            self.login.AddMethod(SESSION, "Set" + name, "b", "", code, dbus_interface=MOCK)

    def signal(self, name):
        self.login.EmitSignal(SESSION, name, "", [], dbus_interface=MOCK)

    def property(self, name, value):
        self.login.UpdateProperties(SESSION, {name: value}, dbus_interface=MOCK)

    def sleep(self, begins):
        self.manager.EmitSignal(LOGIN + ".Manager", "PrepareForSleep", "b", [begins],
                                dbus_interface=MOCK)

    def inhibitors(self):
        return len(self.manager.ListInhibitors(dbus_interface=LOGIN + ".Manager"))

    def saver(self, name, active):
        if name not in self.savers:
            path = "/" + name.replace(".", "/")
            self.savers[name] = self.own(name, saver_class(name), path)
        thing = self.savers[name][1]
        thing.active = active
        thing.ActiveChanged(active)

    def end_saver(self, name):
        self.savers.pop(name)[0].close()

    def pretend(self, name, active):
        """Somebody else says what only a locker may say."""
        connection = dbus.bus.BusConnection(self.session_address)
        saver_class(name)(connection, "/" + name.replace(".", "/")).ActiveChanged(active)
        connection.flush()

    def pretend_login(self, member, target):
        """Somebody else on the system's bus speaks for logind, to one client alone."""
        interface = PROPERTIES if member == "PropertiesChanged" else SESSION
        message = dbus.lowlevel.SignalMessage(self.login.object_path, interface, member)
        if interface == PROPERTIES:
            message.append(SESSION, {"LockedHint": False}, [], signature="sa{sv}as")
        message.set_destination(target)
        connection = dbus.bus.BusConnection(self.system_address)
        connection.send_message(message)
        connection.flush()

    def start_panel(self):
        Watcher.items.clear()
        self.panel = self.own(WATCHER, Watcher, "/StatusNotifierWatcher")

    def end_panel(self):
        self.panel[0].close()

    def items(self):
        return Watcher.items

    def start_notifications(self):
        self.server = self.own(NOTIFY, Notifications, "/org/freedesktop/Notifications")

    def notifications(self):
        return Notifications.shown

    def clients(self):
        """The unique names of who is on the system's bus."""
        return [str(name) for name in self.system.list_names() if name.startswith(":")]

    def item(self, name):
        item = self.session.get_object(name, "/StatusNotifierItem", introspect=False)
        facts = item.GetAll("org.kde.StatusNotifierItem", dbus_interface=PROPERTIES)
        single = item.Get("org.kde.StatusNotifierItem", "Status", dbus_interface=PROPERTIES)
        width, height, pixels = facts["IconPixmap"][0]
        middle = bytes(pixels)[4 * (width * (height // 2) + width // 2):][:4]
        return {"title": facts["Title"], "status": single, "menu": facts["Menu"],
                "tip": facts["ToolTip"][3], "pixels": len(pixels) == 4 * width * height,
                "middle": middle.hex(), "names": sorted(map(str, facts))}

    def menu(self, name):
        menu = self.session.get_object(name, "/MenuBar", introspect=False)
        revision, (root, facts, children) = menu.GetLayout(0, -1, dbus.Array([], signature="s"),
                                                           dbus_interface=MENU)

        def flat(nodes):
            for number, facts, below in nodes:
                yield [int(number), str(facts.get("label", "")), bool(facts.get("enabled", True))]
                yield from flat(below)
        return list(flat(children))

    def click(self, name, number, in_group):
        menu = self.session.get_object(name, "/MenuBar", introspect=False)
        event = (dbus.Int32(number), "clicked", dbus.Int32(0, variant_level=1), dbus.UInt32(0))
        if in_group:
            menu.EventGroup([event], dbus_interface=MENU)
        else:
            menu.Event(*event, dbus_interface=MENU)


def main():
    desk, loop = Desk(), GLib.MainLoop()

    def take(stream, condition):
        line = stream.readline()
        if not line:
            loop.quit()
            return False
        command, *arguments = json.loads(line)
        try:
            answer = getattr(desk, command)(*arguments)
        except Exception as error:
            answer = {"error": str(error)}
        print(json.dumps(answer), flush=True)
        return True
    GLib.io_add_watch(sys.stdin, GLib.IO_IN | GLib.IO_HUP, take)
    try:
        loop.run()
    finally:
        for process in (desk.mock, desk.one, desk.two):
            process.kill()


main()
