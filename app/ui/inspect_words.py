"""What an inspection and a profile say in words: for the page's cards and for the clipboard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.errors import from_wire
from app.i18n import N_, _, ngettext
from app.library.model_words import GROUPS, KINDS, feature_text
from app.ui.lane_words import DOT
from app.ui.numbers import MB, PERCENT, show_mb, show_ms, show_number, show_percent, with_unit

if TYPE_CHECKING:
    from app.compiler.inspection.report import Inspection, StoredWeights
    from app.compiler.profile_report import GroupTime, Profile

METADATA = {"description": N_("description"), "author": N_("author"), "licence": N_("licence")}
"""What every Core ML file can say of itself (`ModelFacts.metadata`); the rest is the author's own."""
MOST_SHAPES = 3


def verdict(found: Inspection) -> str:
    """Whether MLX runs it."""
    if found.obstacle is None:
        return _("MLX runs this model.")
    return str(from_wire(found.obstacle.error, dict(found.obstacle.fields)))


def fact_rows(found: Inspection, most_shapes: int | None = MOST_SHAPES) -> list[tuple[str, str]]:
    """Name and value of everything but operations, weights and labels; a name may come twice."""
    facts = found.facts
    kind = _("{kind}, specification {version}").format(
        kind=_(KINDS.get(facts.kind, facts.kind)), version=facts.specification
    )
    rows = [(_("kind"), kind), (_("size on disk"), with_unit(show_mb(facts.size_bytes), MB))]
    rows += [(_("input"), feature_text(one, most_shapes)) for one in facts.inputs]
    rows += [(_("output"), feature_text(one, most_shapes)) for one in facts.output_features]
    if facts.left_out:
        rows.append((_("does not run"), ", ".join(facts.left_out)))
    rows.append((_("parameters"), f"{found.parameters:,}"))
    if found.stored_bits is not None:
        rows.append((_("bits per weight"), _short(found.stored_bits)))
    if found.multiply_adds is not None:
        rows.append((_("multiply-adds"), f"{found.multiply_adds:,}"))
    return rows


def metadata_rows(found: Inspection) -> list[tuple[str, str]]:
    """What the file says of itself: description, author, licence, then the author's own entries."""
    given = {key: text.strip() for key, text in found.facts.metadata.items() if text.strip()}
    known = [(_(name), given[key]) for key, name in METADATA.items() if key in given]
    return known + [(_without_maker(key), text) for key, text in sorted(given.items()) if key not in METADATA]


def _without_maker(key: str) -> str:
    """ "coremltools.version" of "com.github.apple.coremltools.version": what matters comes last."""
    return key.removeprefix("com.github.apple.").removeprefix("com.apple.coreml.model.")


def weights_line(one: StoredWeights) -> str:
    """ "1,235,496 · 16 bits · 2.47 MB" """
    bits = 8 * one.stored_bytes / one.parameters if one.parameters else None
    return DOT.join(
        (
            f"{one.parameters:,}",
            _("{bits} bits").format(bits=_short(bits)),
            with_unit(show_mb(one.stored_bytes), MB),
        )
    )


def _short(bits: float | None) -> str:
    return f"{bits:.0f}" if bits is not None and abs(bits - round(bits)) < 0.05 else show_number(bits)


def group_name(group: str) -> str:
    return _(GROUPS.get(group, group))


def group_line(group: GroupTime, profile: Profile) -> str:
    """ "12.3 ms · 45.6 %" """
    share = group.ms / profile.stepwise_ms if profile.stepwise_ms else None
    return DOT.join((with_unit(show_ms(group.ms), "ms"), with_unit(show_percent(share), PERCENT)))


def profile_lines(profile: Profile) -> tuple[str, str]:
    """Both times, and why they differ."""
    times = ngettext(
        "Step by step {stepwise} ms, as a whole {whole} ms (median of {rounds} run).",
        "Step by step {stepwise} ms, as a whole {whole} ms (medians of {rounds} runs).",
        profile.rounds,
    ).format(stepwise=show_ms(profile.stepwise_ms), whole=show_ms(profile.whole_ms), rounds=profile.rounds)
    if profile.whole_ms < profile.stepwise_ms:
        why = _(
            "Step by step every operation waits for the one before; run as a whole the model is faster than this sum."
        )
    else:
        why = _("Run as a whole the model took longer than this sum, for which a busy machine is the usual reason.")
    return times, why


def as_text(found: Inspection, profile: Profile | None) -> str:
    """A few dozen lines for a mail."""
    lines = [found.facts.name, verdict(found), ""]
    lines += [f"{name}: {value}" for name, value in (*fact_rows(found, None), *metadata_rows(found))]
    lines += [f"{_('weights')}: {one.form}: {weights_line(one)}" for one in found.weights]
    if found.facts.labels:
        lines.append(f"{_('labels')}: {len(found.facts.labels):,}")
    lines.append("")
    for one in found.operations:
        lines.append(f"{one.count:>6}  {one.kind}" + ("" if one.supported else f"  ({_('not on MLX')})"))
    if profile is not None:
        lines += ["", *(f"{group_name(one.group)}: {group_line(one, profile)}" for one in profile.groups)]
        lines += profile_lines(profile)
    return "\n".join(lines) + "\n"


def as_json(found: Inspection) -> str:
    """What `dyno inspect --json` prints."""
    import msgspec

    return msgspec.json.format(msgspec.json.encode(found), indent=2).decode() + "\n"
