"""What was converted while a photo was read: the ids of `Photo.notes` and their sentences."""

from __future__ import annotations

from app.i18n import N_, _

_SENTENCES = {
    "rotated": N_("Turned upright, as the camera noted"),
    "cmyk": N_("Converted from printing inks (CMYK)"),
    "lab": N_("Converted from the Lab colour space"),
    "profile": N_("Converted from its colour profile to sRGB"),
    "profile-broken": N_("Its colour profile is damaged or does not fit and was ignored"),
    "16-bit": N_("Reduced from more than 8 bits a channel"),
    "alpha": N_("Transparent parts are shown on white"),
    "first-frame": N_("Only its first picture is used"),
    "reduced": N_("Read at reduced size"),
}

NOTES = frozenset(_SENTENCES)
"""Every id that `Photo.notes` can hold."""


def note_text(note: str) -> str:
    """The sentence for one id of `NOTES`, in the current language. Raises KeyError for another id."""
    return _(_SENTENCES[note])
