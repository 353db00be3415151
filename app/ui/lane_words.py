"""What a lane's card says in words: one function a line, each from the lane's state alone."""

from __future__ import annotations

from app.engine.messages import MemoryReading
from app.errors import EngineDied, ModelCrashes, ModelError, ModelMissing
from app.i18n import N_, _, ngettext
from app.ui.lane_state import SLOW_STOP_MS, WINDOW_S, LaneState, Phase
from app.ui.numbers import MB, PERCENT, show_mb, show_ms, show_percent, show_rate, show_ratio, with_unit

STAGES = {
    "reading": N_("Reading the model"),
    "compiling": N_("Compiling the model"),
    "loading": N_("Loading the model"),
    "first-inference": N_("First inference"),
}
PRECISIONS = {"stored": N_("as stored"), "fp32": "fp32", "fp16": "fp16", "bf16": "bf16"}
DOT = " · "


def shown_precision(precision: str) -> str:
    return _(PRECISIONS[precision])


def stage_line(state: LaneState) -> str:
    """ "Compiling the model, 3 s" """
    what = _(STAGES.get(state.stage or "", N_("Starting the engine process")))
    return _("{what}, {seconds} s").format(what=what, seconds=f"{state.seconds:.0f}")


def big_number(state: LaneState) -> tuple[str, str, str]:
    """The number, its unit, what it is. A dash without a unit while nothing was measured."""
    if state.live is not None:
        return show_ms(state.live.median), "ms", _("median")
    if state.single_ms is not None:
        return show_ms(state.single_ms), "ms", _("one inference")
    return "–", "", ""


def what_line(state: LaneState) -> str:
    """What the big number is, or why it does not change."""
    if state.stopping_s * 1e3 > SLOW_STOP_MS:
        return _("Stopping…")
    return _("earlier photo") if state.stale else big_number(state)[2]


def number_details(state: LaneState) -> str:
    """What the big number is, for its tool tip."""
    if state.live is None:
        return _("Engine time of one inference") if state.single_ms is not None else ""
    return ngettext(
        "Engine time: median of {n} inference of the last {seconds} s",
        "Engine time: median of {n} inferences of the last {seconds} s",
        state.live.n,
    ).format(n=state.live.n, seconds=f"{WINDOW_S:.0f}")


def rate_line(state: LaneState) -> str:
    """ "p95 14.1 ms · 81 images/s" of a run; the loading times before the first one."""
    if state.live is not None and state.images_per_s is not None:
        return DOT.join(
            (
                _("p95 {ms} ms").format(ms=show_ms(state.live.p95)),
                _("{rate} /s").format(rate=show_rate(state.images_per_s)),
            )
        )
    if state.load_ms is None:
        return ""
    loaded = _("loaded in {ms} ms from the cache") if state.from_cache else _("loaded in {ms} ms")
    return loaded.format(ms=show_ms(state.load_ms))


def speed_line(state: LaneState) -> str:
    """ "2.0× MLX · CPU"; the baseline says that it is that; nothing before both lanes ran.

    Nothing either for a lane that answers differently: it is shown as wrong, not as fast (measurement.md 11).
    """
    if state.speed is None or state.speed.ratio is None:
        return ""
    if state.compared and state.compared.agreement and not state.compared.agreement.agrees and not state.stale:
        return ""
    if state.speed.is_baseline:
        return _("1× (baseline)")
    return f"{show_ratio(state.speed.ratio)} {state.speed.baseline}"


def agreement_line(state: LaneState) -> tuple[str, str]:
    """What to say and its tone (a colour of the theme): "agrees ✓", "says tiger cat", "reference"."""
    compared = state.compared
    if compared is None:
        return "", "secondary_text"
    if compared.is_reference:
        return _("reference answer"), "secondary_text"
    if compared.agreement is None or state.stale:
        return "", "secondary_text"
    if compared.agreement.agrees:
        return _("agrees ✓"), "success"
    if compared.agreement.same_top1 or not state.top:
        difference = with_unit(show_percent(compared.agreement.largest_difference), PERCENT)
        return _("✗ differs by {difference}").format(difference=difference), "error"
    from app.i18n import language
    from app.library.labels import shown_label

    return _("✗ says {label}").format(label=shown_label(state.top[0].label, language())), "error"


def memory_line(memory: MemoryReading | None) -> str:
    """ "118 MB"; nothing known is said as such."""
    if memory is None or memory.footprint_bytes is None:
        return _("memory not available")
    return with_unit(show_mb(memory.footprint_bytes), MB)


def memory_details(memory: MemoryReading | None) -> str:
    """One line a figure, for the tool tip."""
    if memory is None:
        return ""
    rows = (
        (_("Process footprint"), memory.footprint_bytes),
        (_("MLX active"), memory.mlx_active_bytes),
        (_("MLX cache"), memory.mlx_cache_bytes),
        (_("MLX peak"), memory.mlx_peak_bytes),
    )
    return "\n".join(f"{name}: {with_unit(show_mb(size), MB)}" for name, size in rows if size is not None)


def device_line(state: LaneState) -> str:
    """Where it runs; a request is called one."""
    if not state.device:
        return ""
    if state.device_is_certain:
        return state.device
    return _("requested {unit}").format(unit=_(state.target.unit))


def trouble(state: LaneState) -> tuple[str, str]:
    """The sentence of a lane that cannot go on and the label of its button; empty while it can.

    No button where trying again cannot help.
    """
    if state.phase is Phase.LOADING:
        return stage_line(state), _("Cancel")
    if state.phase is Phase.CANCELLED:
        return _("Loading was cancelled."), _("Load again")
    if state.error is None:
        return "", ""
    if isinstance(state.error, ModelError) and not isinstance(state.error, ModelMissing | ModelCrashes):
        return str(state.error), ""  # the file would be the same the next time
    button = _("Restart") if isinstance(state.error, EngineDied) or state.phase is Phase.FAILED else _("Retry")
    return str(state.error), button


def has_last_figures(state: LaneState) -> bool:
    """Whether a lane with an error has measured or answered something before it."""
    return state.error is not None and state.answered


def when_line(state: LaneState) -> str:
    """From when the figures of a lane with an error are."""
    if state.stale:
        return _("earlier photo")
    return _("before it ended") if state.phase is Phase.FAILED else _("before the error")


def spoken(state: LaneState) -> str:
    """The whole card in one sentence, for screen readers."""
    sentence, _button = trouble(state)
    number, unit, what = big_number(state)
    if sentence:
        said = f"{state.target.shown_name}: {sentence}"
        if not has_last_figures(state):
            return said
        last = (when_line(state), f"{number} {unit} {what}".strip(), rate_line(state) if state.live else "")
        return f"{said} " + ", ".join(part for part in last if part)
    parts = [f"{number} {unit} {what_line(state)}".strip(), rate_line(state), speed_line(state)]
    parts += [agreement_line(state)[0], memory_line(state.memory), device_line(state)]
    return f"{state.target.shown_name}: " + ", ".join(part for part in parts if part)
