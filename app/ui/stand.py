"""What stands on the dyno: the model, the engines that are switched on, the photo and its crop. No widgets.

Turns wishes of the panels into lanes (`lanes.py`), remembers the choices, and fetches what takes time (photos, the list
of targets) away from the window's thread.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QImage

from app.engine.messages import Lane
from app.engine.targets import TARGETS
from app.errors import AppError
from app.i18n import N_, _
from app.imaging.view import Crop
from app.paths import resource
from app.settings import Settings
from app.ui.arrivals import Arrivals, TakeIn, take_in
from app.ui.choices import Choice, Lack, lack_of_lanes
from app.ui.errand import Errand
from app.ui.inspector import Inquiry, Inspector, ProfileWish
from app.ui.lane_state import Phase, Subject
from app.ui.lanes import Lanes
from app.ui.model_list import ModelList
from app.ui.picture import ShownPhoto, load_photo, pasted_photo

if TYPE_CHECKING:
    from app.engine.probe import TargetState
    from app.library.card import ModelCard

log = logging.getLogger(__name__)

PROBE_AGAIN_AFTER_MS = 4000
"""With targets remembered from last time, asking again waits until the first answers are there."""


def ask_targets() -> list[TargetState]:
    """The targets of this machine, from a child process. Takes seconds."""
    from app.engine.probe import probe

    return probe()


class Stand(QObject):
    """Signals are facts; `complaint` is an error that no lane shows, `notice` a sentence that says what to do."""

    model_chosen = Signal(object)
    targets_changed = Signal()
    photo_loading = Signal(str)
    photo_shown = Signal(object)
    crop_changed = Signal(object)
    complaint = Signal(object)
    notice = Signal(str)
    profile_waits = Signal(bool)

    def __init__(
        self,
        lanes: Lanes,
        settings: Settings,
        probe: Callable[[], list[TargetState]] = ask_targets,
        take_in: TakeIn = take_in,
        inquiry: Inquiry | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.lanes = lanes
        self.models = ModelList(settings, Arrivals(take_in, self), self)
        self.models.chosen.connect(self._on_model_chosen)
        self.models.complaint.connect(self.complaint)
        self.inspector = Inspector(inquiry, self)
        self._waiting_profile: ProfileWish | None = None
        lanes.lane_changed.connect(lambda _key: self._begin_profile())
        self._settings = settings
        self._probe = probe
        self._states: dict[str, TargetState] = {}
        self._shown: ShownPhoto | None = None
        self._crop = Crop(settings.get("crop"))
        self._photos = Errand("photo", self)
        self._photos.done.connect(self._on_photo)
        self._photos.failed.connect(self._on_photo_failed)
        self._asking = Errand("targets", self)
        self._asking.done.connect(self._on_targets)
        self._asking.failed.connect(self._on_targets_failed)

    # --- starting and ending ----------------------------------------------------------------------------------------

    def start(self) -> None:
        """Load the models' list, choose last time's model and ask which targets this machine has."""
        self.models.start()
        if self._settings.get("targets_seen"):
            QTimer.singleShot(PROBE_AGAIN_AFTER_MS, self, self.ask_for_targets)
        else:
            self.ask_for_targets()

    def restart_failed(self) -> None:
        """Start every lane again that failed, was cancelled or refused the photo."""
        for key in self.lanes.order:
            state = self.lanes.state(key)
            if state.error is not None or state.phase is Phase.CANCELLED:
                self.lanes.restart(key)

    def ask_for_targets(self) -> None:
        self._asking.ask(self._probe)

    def shutdown(self) -> None:
        """End all engines; blocks until they are gone."""
        self._photos.close()
        self._asking.close()
        self.models.arrivals.close()
        self.inspector.close()
        self.lanes.shutdown()

    # --- model ------------------------------------------------------------------------------------------------------

    @property
    def model(self) -> ModelCard | None:
        return self.models.model

    def set_live(self, live: bool) -> None:
        """Measure without end, or stop; says what to do where that is not possible."""
        if live and (self.inspector.profile.is_busy or self.is_profile_waiting):
            self.notice.emit(_("A profile is being taken. Wait until it is there, or cancel it, then run live."))
        elif live and (lack := self.why_no_lanes()) is not None and not lack.is_passing:
            self.notice.emit(" ".join(lack.sentences))
        else:
            self.lanes.set_live(live)

    @property
    def is_profile_waiting(self) -> bool:
        """Whether a profile is wished for that begins when the live run has ended."""
        return self._waiting_profile is not None

    def take_profile(self, wish: ProfileWish) -> None:
        """Time the inspected model; a live run is stopped first, for both would slow each other down."""
        self._waiting_profile = wish
        self.lanes.set_live(False)
        self.profile_waits.emit(True)
        self._begin_profile()

    def _begin_profile(self) -> None:
        wish = self._waiting_profile
        if wish is not None and not self.lanes.count(Phase.RUNNING, Phase.STOPPING):
            self._waiting_profile = None
            self.profile_waits.emit(False)
            self.inspector.take_profile(wish)

    def why_no_lanes(self) -> Lack | None:
        """Why no engine is at work; None when one is."""
        return None if self.lanes.order else lack_of_lanes(self.model, self.choices())

    def _on_model_chosen(self, card: ModelCard) -> None:
        self._settle_lanes()  # first: what is asked of the lanes must not be about the model before
        self.model_chosen.emit(card)
        self.targets_changed.emit()

    # --- targets ----------------------------------------------------------------------------------------------------

    def choices(self) -> list[Choice]:
        """All targets in the order of the table, with what is known of them."""
        seen, off = self._settings.get("targets_seen"), self._settings.get("targets_off")
        precisions = dict(row.split("=", 1) for row in self._settings.get("precisions") if "=" in row)
        found = []
        for one in TARGETS:
            state = self._states.get(one.id)
            available = state.available if state else (True if one.id in seen else None)
            reason = "" if available else (state.reason if state else N_("being looked for…"))
            wanted = precisions.get(one.id)
            precision = next((known for known in one.precisions if known == wanted), one.precisions[0])
            detail = (state.detail or "") if state else ""
            obstacle = self.model.obstacle(one) if self.model is not None else None
            reason = _(reason) if reason else ""
            found.append(Choice(one, available, reason, detail, one.id not in off, precision, obstacle))
        return found

    def switch_target(self, target_id: str, on: bool) -> None:
        off = [known for known in self._settings.get("targets_off") if known != target_id]
        self._settings.set("targets_off", tuple(off if on else [*off, target_id]))
        self._settle_lanes()
        self.targets_changed.emit()

    def use_precision(self, target_id: str, precision: str) -> None:
        others = [row for row in self._settings.get("precisions") if not row.startswith(f"{target_id}=")]
        self._settings.set("precisions", (*others, f"{target_id}={precision}"))
        self._settle_lanes()
        self.targets_changed.emit()

    def _settle_lanes(self) -> None:
        if self.model is None:
            self.lanes.choose([])
            return
        path = str(self.model.path)
        self.lanes.choose(
            Lane(model=path, target=row.target.id, precision=row.precision)
            for row in self.choices()
            if row.is_usable and row.on
        )

    def _on_targets(self, ticket: int, states: list[TargetState]) -> None:
        self._states = {state.target.id: state for state in states}
        self._settings.set("targets_seen", tuple(state.target.id for state in states if state.available))
        self._settle_lanes()
        self.targets_changed.emit()

    def _on_targets_failed(self, ticket: int, error: AppError) -> None:
        self.complaint.emit(error)

    # --- photo ------------------------------------------------------------------------------------------------------

    @property
    def shown(self) -> ShownPhoto | None:
        return self._shown

    @property
    def crop(self) -> Crop:
        return self._crop

    def open_photo(self, path: Path) -> None:
        """A photo file or a folder; an older photo that is still being read is forgotten."""
        if path.is_file() and not path.is_relative_to(resource("samples")):
            self._settings.set("last_folder", str(path.parent))
        self.photo_loading.emit(path.name)
        self._photos.ask(lambda: load_photo(path))

    def show_pixels(self, image: QImage, name: str) -> None:
        """A picture that was pasted or dropped as pixels."""
        self.photo_loading.emit(name)
        self._photos.ask(lambda: pasted_photo(image, name))

    def use_crop(self, crop: Crop) -> None:
        if crop is self._crop:
            return
        self._crop = crop
        self._settings.set("crop", crop.value)
        self.crop_changed.emit(crop)
        self._ask_lanes()

    def model_view(self) -> tuple[tuple[int, int] | None, float]:
        """Size (width, height) of the chosen model's input and its crop fraction.

        As an engine has read them in the file, before that as the catalogue says; None while neither is known.
        """
        loaded = self.lanes.loaded()
        if loaded is not None:
            return (loaded.facts.image.width, loaded.facts.image.height), loaded.facts.crop_fraction
        card = self.model
        if card is None or card.width is None or card.height is None:
            return None, 1.0
        return (card.width, card.height), card.crop_fraction

    def _on_photo(self, ticket: int, shown: ShownPhoto) -> None:
        if self._photos.is_newest(ticket):
            self._shown = shown
            self.photo_shown.emit(shown)
            self._ask_lanes()

    def _on_photo_failed(self, ticket: int, error: AppError) -> None:
        if self._photos.is_newest(ticket):
            self.photo_loading.emit("")
            self.complaint.emit(error)

    def _ask_lanes(self) -> None:
        if self._shown is not None:
            self.lanes.show(Subject(self._shown.photo, self._crop))
