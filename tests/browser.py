"""Odoo's web client in a headless Chromium, in a bookkeeper's words."""

import contextlib
import itertools
import resource
import shutil
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from .processes import DEV
from .rpc import Person

SCREENSHOTS = DEV / "screenshots"
WINDOW = {"width": 1280, "height": 800}
PHONE = {"width": 360, "height": 740}
TIMEOUT = 60_000  # milliseconds, for busy machines
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


expect.set_options(timeout=TIMEOUT)


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's browser, headless, until the block ends."""
    # Where Odoo runs in this very process, it has limited the memory of the process
    # and of all that it starts. A browser dies of that.
    _soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (hard, hard))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=list(ARGUMENTS)
        )
        yield browser
        browser.close()


@contextlib.contextmanager
def opened(browser: Browser, url: str, name: str) -> Iterator["Desk"]:
    """A browser window in which no script may fail."""
    desk = Desk(browser, url, name.removeprefix("test_"))
    try:
        yield desk
    finally:
        desk.close()
    assert not desk.errors


class Desk:
    """A browser window of somebody who works in Odoo."""

    def __init__(self, browser: Browser, url: str, name: str):
        self.url = url
        self.errors: list[str] = []
        self._name = name
        self._shots = itertools.count(1)
        self._context = browser.new_context(viewport=WINDOW, locale="en-GB")
        self._context.set_default_timeout(TIMEOUT)
        self.page = self._context.new_page()
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))

    def close(self) -> None:
        self._context.close()

    def log_in(self, person: Person) -> None:
        """By the login page, as a person does."""
        self.page.goto(f"{self.url}/web/login")
        self.page.get_by_label("Email").fill(person.login)
        self.page.get_by_label("Password", exact=True).fill(person.password)
        self.page.get_by_role("button", name="Log in", exact=True).click()
        expect(self.page.locator(".o_main_navbar")).to_be_visible()

    def sit_down(self, person: Person) -> None:
        """With the session that the person has already."""
        self._context.add_cookies(person.cookies())

    def open(self, path: str) -> None:
        """A page of the web client, such as ``customer-invoices/7``."""
        self.page.goto(f"{self.url}/odoo/{path}")
        expect(
            self.page.locator(".o_action_manager .o_view_controller")
        ).to_be_visible()

    def open_invoice(self, invoice: int) -> None:
        self.open(f"customer-invoices/{invoice}")
        expect(self.page.locator(".o_form_view")).to_be_visible()

    def new_tab(self, opens) -> Page:
        """The page that appears when ``opens`` is called."""
        with self._context.expect_page() as opened:
            opens()
        return opened.value

    def button(self, name: str) -> Locator:
        """A button in the head of the form."""
        return self.page.locator(".o_form_statusbar").get_by_role(
            "button", name=name, exact=True
        )

    def button_of(self, method: str) -> Locator:
        """The button anywhere on the page that calls this method."""
        return self.page.locator(f"button[name='{method}']")

    def tab(self, name: str) -> Locator:
        return self.page.locator(".o_notebook").get_by_role("tab", name=name)

    def field(self, name: str) -> Locator:
        return self.page.locator(f".o_field_widget[name='{name}']")

    def notification(self, kind: str) -> Locator:
        """A notification by its colour: ``success`` or ``danger``."""
        bar = self.page.locator(f".o_notification_bar.bg-{kind}")
        return self.page.locator(".o_notification", has=bar)

    def expect_no_sideways_scrolling(self) -> None:
        wide = "document.documentElement.scrollWidth"
        assert self.page.evaluate(wide) <= self.page.viewport_size["width"]

    def picture(self, step: str) -> Path:
        """Keep a picture of what the person sees."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        step = step.replace(" ", "-")
        name = f"{self._name}-{next(self._shots):02}-{step}.png"
        self.page.screenshot(path=SCREENSHOTS / name, animations="disabled")
        return SCREENSHOTS / name
