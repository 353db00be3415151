"""The pages of the window, in the order of ⌘1, ⌘2, …: one row a page. The bar of pages shows when there are two."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtWidgets import QWidget

from app.ui import classify_page, inspect_page
from app.ui.classify_page import ClassifyPage
from app.ui.inspect_page import InspectPage
from app.ui.stand import Stand


@dataclass(frozen=True)
class Page:
    """`build` makes the page's widget over what stands on the dyno."""

    id: str
    title: str
    build: Callable[[Stand], QWidget]


PAGES: tuple[Page, ...] = (
    Page("classify", classify_page.TITLE, ClassifyPage),
    Page("inspect", inspect_page.TITLE, InspectPage),
)
