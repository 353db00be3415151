"""The menus as data: one row a command. What a command does is said by whoever builds the menus."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu

from app.i18n import N_, _

Role = QAction.MenuRole
Keys = QKeySequence.StandardKey


@dataclass(frozen=True)
class Command:
    """`keys` are the platform's own where there are such; `choice` groups commands of which one is checked."""

    id: str
    menu: str
    text: str
    keys: Keys | str | None = None
    role: Role = Role.NoRole
    checkable: bool = False
    choice: str = ""
    submenu: str = ""
    gap_before: bool = False


FILE, EDIT, VIEW, RUN, HELP = N_("&File"), N_("&Edit"), N_("&View"), N_("&Run"), N_("&Help")
APPEARANCE, CROP = N_("Appearance"), N_("What the model sees")

# Roles are explicit everywhere: macOS would otherwise move whatever begins with "Settings" or "About" by its text.
COMMANDS: tuple[Command, ...] = (
    Command("open-photo", FILE, N_("Open photo…"), Keys.Open),
    Command("add-model", FILE, N_("Add model…"), "Ctrl+Shift+O"),
    Command("export", FILE, N_("Export results…"), "Ctrl+E", gap_before=True),
    Command("settings", FILE, N_("Settings…"), "Ctrl+,", Role.PreferencesRole, gap_before=True),
    Command("quit", FILE, N_("Quit"), Keys.Quit, Role.QuitRole),
    Command("undo", EDIT, N_("Undo"), Keys.Undo),
    Command("copy", EDIT, N_("Copy results"), Keys.Copy, gap_before=True),
    Command("copy-charts", EDIT, N_("Copy charts as picture"), "Ctrl+Shift+C"),
    Command("paste", EDIT, N_("Paste photo"), Keys.Paste),
    Command("theme-system", VIEW, N_("Like the system"), checkable=True, choice="theme", submenu=APPEARANCE),
    Command("theme-light", VIEW, N_("Light"), checkable=True, choice="theme", submenu=APPEARANCE),
    Command("theme-dark", VIEW, N_("Dark"), checkable=True, choice="theme", submenu=APPEARANCE),
    Command("crop-centre", VIEW, N_("Crop"), "Ctrl+Alt+1", checkable=True, choice="crop", submenu=CROP),
    Command("crop-fit", VIEW, N_("Fit"), "Ctrl+Alt+2", checkable=True, choice="crop", submenu=CROP),
    Command("crop-stretch", VIEW, N_("Stretch"), "Ctrl+Alt+3", checkable=True, choice="crop", submenu=CROP),
    Command("pause-charts", VIEW, N_("Pause charts"), "Ctrl+P", checkable=True, gap_before=True),
    Command("reset-zoom", VIEW, N_("Reset zoom"), "Ctrl+0"),
    Command("log-scale", VIEW, N_("Logarithmic latency scale"), "Ctrl+L", checkable=True),
    Command("full-screen", VIEW, N_("Full screen"), Keys.FullScreen, checkable=True, gap_before=True),
    Command("run-once", RUN, N_("Run once"), "Ctrl+R"),
    Command("run-live", RUN, N_("Run live"), "Space", checkable=True),
    Command("restart-failed", RUN, N_("Restart failed engines"), "Ctrl+Shift+R", gap_before=True),
    Command("shortcuts", HELP, N_("Keyboard shortcuts"), Keys.HelpContents),
    Command("about", HELP, N_("About Silicon Dyno"), None, Role.AboutRole),
)


class Menus:
    """The menu bar of a window, made from `COMMANDS`."""

    def __init__(self, window: QMainWindow, doings: Mapping[str, Callable[[], object]]) -> None:
        self.actions: dict[str, QAction] = {}
        self._menus: dict[str, QMenu] = {}
        self._groups: dict[str, QActionGroup] = {}
        for command in COMMANDS:
            self._add(window, command, doings[command.id])
        self.retranslate()

    def retranslate(self) -> None:
        """Set all texts in the current language."""
        for command in COMMANDS:
            self.actions[command.id].setText(_(command.text))
        for title, menu in self._menus.items():
            menu.setTitle(_(title))

    def check(self, command_id: str, checked: bool) -> None:
        """Show a state without asking for it."""
        self.actions[command_id].setChecked(checked)

    def enable(self, command_id: str, enabled: bool) -> None:
        """Whether the command can be given at the moment."""
        self.actions[command_id].setEnabled(enabled)

    def _add(self, window: QMainWindow, command: Command, doing: Callable[[], object]) -> None:
        menu = self._menu(window, command)
        if command.gap_before:
            menu.addSeparator()
        action = QAction(window)
        action.setObjectName(command.id)
        action.setMenuRole(command.role)
        action.setCheckable(command.checkable)
        if command.keys is not None:
            action.setShortcut(QKeySequence(command.keys))
        if command.choice:
            self._group(window, command.choice).addAction(action)
        action.triggered.connect(lambda _checked: doing())
        menu.addAction(action)
        self.actions[command.id] = action

    def _menu(self, window: QMainWindow, command: Command) -> QMenu:
        menu = self._menus.get(command.menu)
        if menu is None:
            menu = self._menus[command.menu] = window.menuBar().addMenu("")
        if not command.submenu:
            return menu
        if command.submenu not in self._menus:
            self._menus[command.submenu] = menu.addMenu("")
        return self._menus[command.submenu]

    def _group(self, window: QMainWindow, name: str) -> QActionGroup:
        if name not in self._groups:
            self._groups[name] = QActionGroup(window)
        return self._groups[name]


def shortcut_rows() -> list[tuple[str, str]]:
    """What a command is called and its keys in the platform's notation, for those that have keys."""
    found = []
    for command in COMMANDS:
        if command.keys is not None:
            keys = QKeySequence(command.keys).toString(QKeySequence.SequenceFormat.NativeText)
            if keys:
                found.append((_(command.text), keys))
    return found
