"""Where the time goes: what to time on, the button, how far it is, and the bars."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QProgressBar, QPushButton, QWidget

from app.engine.targets import target
from app.i18n import _
from app.ui.choices import Choice
from app.ui.group_bars import GroupBars
from app.ui.inspect_words import profile_lines
from app.ui.inspector import Look, ProfileWish
from app.ui.lane_words import DOT, shown_precision
from app.ui.titled_card import TitledCard
from app.ui.words import Words

if TYPE_CHECKING:
    from app.compiler.profile_report import Profile


class ProfileCard(TitledCard):
    """Emits wishes; shows what it is told."""

    profile_wished = Signal(object)
    cancel_wished = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self._choices: list[Choice] = []
        self._runs_on_mlx = True
        self._look = Look()
        self._taken_with: ProfileWish | None = None
        self._is_live = self._is_waiting = False
        self._targets, self._precisions = QComboBox(), QComboBox()
        self._targets.setObjectName("profile-target")
        self._precisions.setObjectName("profile-precision")
        self._targets.activated.connect(self._fill_precisions)
        self._start = QPushButton()
        self._start.setObjectName("profile-start")
        self._start.clicked.connect(self._wish)
        line = QHBoxLayout()
        line.setSpacing(8)
        for control in self._chosen_with():
            line.addWidget(control)
        line.addStretch(1)
        self.body.addLayout(line)
        self.body.addWidget(self._make_progress())
        self._says = Words("secondary_text")
        self._says.setWordWrap(True)
        self.bars = GroupBars()
        self._times, self._why = Words(), Words("secondary_text", 0.9)
        self._times.setWordWrap(True)
        self._why.setWordWrap(True)
        for part in (self._says, self.bars, self._times, self._why):
            self.body.addWidget(part)
        self._retranslate()

    def controls(self) -> list[QWidget]:
        """Everything that takes the focus, in the order of the eye."""
        return [*self._chosen_with(), self._cancel]

    def show_choices(self, choices: list[Choice]) -> None:
        """All targets; those of MLX that this machine has can be chosen."""
        present = [choice for choice in choices if choice.target.runtime == "mlx" and choice.available]
        if present != self._choices:
            wanted = self._targets.currentData()
            self._choices = present
            self._targets.clear()
            for choice in present:
                self._targets.addItem(choice.target.shown_name, choice.target.id)
            self._targets.setCurrentIndex(max(0, self._targets.findData(wanted)))
            self._fill_precisions()
        self._show()

    def show_verdict(self, runs_on_mlx: bool) -> None:
        """Whether MLX can run the model at all."""
        self._runs_on_mlx = runs_on_mlx
        self._show()

    def show_profile(self, look: Look, taken_with: ProfileWish | None) -> None:
        self._look, self._taken_with = look, taken_with
        self._show()

    def show_live(self, is_live: bool, is_waiting: bool) -> None:
        """`is_waiting`: a profile is wished for and begins when the live run has ended."""
        self._is_live, self._is_waiting = is_live, is_waiting
        self._show()

    def refresh(self) -> None:
        """The seconds go on."""
        if self._look.is_busy:
            self._show()

    def says(self) -> str:
        """The sentence that stands in place of the bars."""
        return self._says.text()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self._retranslate()

    def _make_progress(self) -> QWidget:
        self._progress = QWidget()
        line = QHBoxLayout(self._progress)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(8)
        self._bar, self._cancel = QProgressBar(), QPushButton()
        self._bar.setTextVisible(False)
        self._cancel.setObjectName("profile-cancel")
        self._cancel.clicked.connect(self.cancel_wished)
        line.addWidget(self._bar, 1)
        line.addWidget(self._cancel)
        return self._progress

    def _chosen_with(self) -> tuple[QWidget, ...]:
        return self._targets, self._precisions, self._start

    def _wish(self) -> None:
        self.profile_wished.emit(ProfileWish(self._targets.currentData(), self._precisions.currentData()))

    def _fill_precisions(self) -> None:
        chosen = next((one for one in self._choices if one.target.id == self._targets.currentData()), None)
        self._precisions.clear()
        if chosen is not None:
            for precision in chosen.target.precisions:
                self._precisions.addItem(shown_precision(precision), precision)
            self._precisions.setCurrentIndex(chosen.target.precisions.index(chosen.precision))

    def _show(self) -> None:
        look, can_start = self._look, self._runs_on_mlx and bool(self._choices)
        for control in self._chosen_with():
            control.setVisible(can_start)
            control.setEnabled(not look.is_busy and not self._is_waiting)
        self._start.setText(_("Stop the live run and profile") if self._is_live else _("Profile"))
        self._progress.setVisible(look.is_busy)
        self._bar.setRange(0, look.of)  # 0 while it loads: there is no telling how long
        self._bar.setValue(look.done)
        found: Profile | None = look.answer
        sentence = "" if found is not None else self._sentence()
        self._says.setText(sentence)
        self._says.use_tone("text" if look.error is not None else "secondary_text")
        self._says.setVisible(bool(sentence))
        for part in (self.bars, self._times, self._why):
            part.setVisible(found is not None)
        if found is not None and self._taken_with is not None:
            one = target(self._taken_with.target_id)
            self.bars.show_profile(found, one.colour)
            times, why = profile_lines(found)
            self._times.setText(DOT.join((one.shown_name, shown_precision(self._taken_with.precision), times)))
            self._why.setText(why)

    def _sentence(self) -> str:
        look = self._look
        if not self._runs_on_mlx:
            return _("MLX cannot run this model, so there is no time of its to look into.")
        if not self._choices:
            return _("No MLX engine is available here.")
        if self._is_waiting:
            return _("Waiting for the live run to stop…")
        if look.began_s is not None:
            seconds = f"{time.monotonic() - look.began_s:.0f}"
            if not look.of:
                return _("Loading the model, {seconds} s").format(seconds=seconds)
            return _("Run {done} of {of}, {seconds} s").format(done=look.done, of=look.of, seconds=seconds)
        if look.error is not None:
            return str(look.error)
        if look.cancelled:
            return _("The profile was cancelled.")
        return _("Times every operation on MLX by evaluating step by step, and shows the time of each group.")

    def _retranslate(self) -> None:
        self.set_title(_("Where the time goes"))
        self._cancel.setText(_("Cancel"))
        self._cancel.setAccessibleName(_("Cancel the profile"))
        self._bar.setAccessibleName(_("Progress"))
        self._targets.setAccessibleName(_("Engine to profile on"))
        self._precisions.setAccessibleName(_("Precision to profile with"))
        self.bars.setAccessibleName(_("Time of each group of operations"))
        for place, choice in enumerate(self._choices):
            self._targets.setItemText(place, choice.target.shown_name)
        for place in range(self._precisions.count()):
            self._precisions.setItemText(place, shown_precision(self._precisions.itemData(place)))
        self._show()
