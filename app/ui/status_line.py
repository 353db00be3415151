"""The line at the bottom: what machine this is and what computes in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.i18n import _, ngettext
from app.ui.lane_words import DOT
from app.ui.words import CutWords

if TYPE_CHECKING:
    from app.machine.facts import Machine


class StatusLine(QWidget):
    """The machine's facts on the left, the devices that the lanes report on the right."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("status-line")
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 4, 16, 4)
        row.setSpacing(24)
        self._words = CutWords("secondary_text", 0.9)
        row.addWidget(self._words, 1)
        self._machine: Machine | None = None
        self._devices: tuple[str, ...] = ()
        self._write()

    def show_machine(self, machine: Machine) -> None:
        self._machine = machine
        self._write()

    def show_devices(self, devices: tuple[str, ...]) -> None:
        """What the lanes say they run on, each once."""
        if devices != self._devices:
            self._devices = devices
            self._write()

    def text(self) -> str:
        return self._words.text()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self._write()

    def _write(self) -> None:
        facts = machine_words(self._machine) if self._machine else [_("Looking at this machine…")]
        self._words.setText(DOT.join((*facts, *self._devices)))
        self.setAccessibleName(self._words.text())


def read_this_machine() -> Machine:
    """Chip, cores and memory of the machine we run on; may start a child process."""
    from app.machine.facts import read_machine

    return read_machine()


def machine_words(machine: Machine) -> list[str]:
    """Chip, cores, memory, system; what is not known is left out."""
    found = [machine.chip] if machine.chip else []
    if machine.performance_cores and machine.efficiency_cores:
        found.append(
            _("{fast} P + {slow} E cores").format(fast=machine.performance_cores, slow=machine.efficiency_cores)
        )
    elif machine.logical_cores:
        found.append(ngettext("{n} core", "{n} cores", machine.logical_cores).format(n=machine.logical_cores))
    if machine.gpu_cores:
        found.append(_("{n}-core GPU").format(n=machine.gpu_cores))
    if machine.neural_engine_cores:
        found.append(_("{n}-core Neural Engine").format(n=machine.neural_engine_cores))
    if machine.memory_bytes:
        found.append(_("{size} GB memory").format(size=f"{machine.memory_bytes / 2**30:.3g}"))
    if machine.system:
        found.append(machine.system)
    return found
