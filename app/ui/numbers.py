"""Figures as text: at most three significant digits, one width whatever the value, digits and “.” in every language.

Each function returns the figure without its unit, so that the unit can be set in a smaller weight; `with_unit` joins
the two where plain text is needed. What is not known (None, nan, infinite) is “–”, never 0.
"""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Decimal

from PySide6.QtGui import QFont, QFontMetrics

UNKNOWN = "–"
MS, RATE, MB, PERCENT = "ms", "/s", "MB", "%"

_LARGEST_PLAIN = 1_000_000
_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def show_number(value: float | None) -> str:
    """At most three significant digits: "0.123", "1.23", "12.3", "123", "1,230", "1.23×10⁶"; below 0.0005 "<0.001".

    Rounds halves up, as people do by hand: 9.995 is "10.0".
    """
    if value is None or not math.isfinite(value):
        return UNKNOWN
    sign = "−" if value < 0 else ""
    size = Decimal(repr(abs(float(value))))
    if size == 0:
        return "0"
    if size < Decimal("0.0005"):
        return f"{sign}<0.001" if not sign else f">{sign}0.001"
    return sign + _plain(size)


def _plain(size: Decimal) -> str:
    """Text of a positive number of at least 0.0005."""
    # Rounding can lift a number into the next decade (999.6 -> 1,000), so the decade is taken after rounding.
    decimals = max(0, min(3, 2 - size.adjusted()))
    rounded = size.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    decimals = max(0, min(3, 2 - rounded.adjusted()))
    if rounded < 1000:
        return f"{rounded.quantize(Decimal(1).scaleb(-decimals)):f}"
    three = rounded.quantize(Decimal(1).scaleb(rounded.adjusted() - 2), ROUND_HALF_UP)
    if three < _LARGEST_PLAIN:
        return f"{int(three):,}"
    exponent = three.adjusted()
    return f"{three.scaleb(-exponent):.2f}×10{str(exponent).translate(_SUPERSCRIPTS)}"


def show_ms(ms: float | None) -> str:
    """A time in milliseconds: 12.345 -> "12.3"."""
    return show_number(ms)


def show_rate(per_second: float | None) -> str:
    """Images or inferences a second: 1083.2 -> "1,080"."""
    return show_number(per_second)


def show_mb(size_bytes: float | None) -> str:
    """Bytes in megabytes of 10⁶ bytes: 118_400_000 -> "118"."""
    return show_number(None if size_bytes is None else size_bytes / 1e6)


def show_ratio(ratio: float | None) -> str:
    """How many times: 2.04 -> "2.04×". The sign belongs to the figure."""
    shown = show_number(ratio)
    return shown if shown == UNKNOWN else f"{shown}×"


def show_percent(share: float | None) -> str:
    """A share of 1 in percent, one decimal at most: 0.8123 -> "81.2", 1.0 -> "100", 0.0004 -> "<0.1"."""
    if share is None or not math.isfinite(share):
        return UNKNOWN
    percent = Decimal(repr(float(share))) * 100
    if 0 < percent < Decimal("0.05"):
        return "<0.1"
    if percent == 0:
        return "0"
    rounded = percent.quantize(Decimal("0.1"), ROUND_HALF_UP)
    shown = f"{abs(rounded):.0f}" if abs(rounded) >= 100 else f"{abs(rounded):f}"
    return f"−{shown}" if rounded < 0 else shown


def with_unit(figure: str, unit: str) -> str:
    """ "12.3 ms", with a space that does not break; the bare “–” when the figure is not known."""
    return figure if figure == UNKNOWN else f"{figure}\u00a0{unit}"


def tabular(font: QFont) -> QFont:
    """`font` with figures of equal width, where the font has them (OpenType feature "tnum")."""
    changed = QFont(font)
    changed.setFeature(QFont.Tag("tnum"), 1)
    return changed


def figure_width(font: QFont) -> int:
    """Pixels to reserve for any figure below 10,000 in `font`, so that what stands beside it never moves."""
    metrics = QFontMetrics(tabular(font))
    return max(metrics.horizontalAdvance(text) for text in ("0.888", "8,888", "88.8"))
