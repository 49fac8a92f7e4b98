"""The pictures of README and of the addon's page, taken of the demo.

``python -m devtools.screenshots ODOO_PORT SANDBOX_PORT`` while a demo runs in which
nobody has done anything yet; ``./dev screenshots`` sees to that.
"""

import io
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright

from .servers import ROOT

PICTURES = ROOT / "docs"
PAGE = ROOT / "frontpay_odoo" / "static" / "description"
ON_PAGE = ("invoice",)
WINDOW = {"width": 1280, "height": 800}
COLOURS = 128  # enough for a screen, at a third of the size
TIMEOUT = 60_000  # milliseconds
# In the browser: whether all that was asked for is shown.
LOADED = """() => document.fonts.status === 'loaded'
    && [...document.images].every(image => image.complete)
    && !document.querySelector('.o_loading_indicator, .o_form_saving')"""
PRIVATE = "Kari Demokunde"


class Photographer:
    """The demo's administrator, with a camera."""

    def __init__(self, page: Page, odoo: str, sandbox: str):
        self._page = page
        self._odoo, self._sandbox = odoo, sandbox

    def work(self) -> None:
        self._log_in()
        self._several()
        self._sent_and_paid()
        self._undecided()
        self._paid_out()

    def _log_in(self) -> None:
        self._page.goto(f"{self._odoo}/web/login")
        self._page.get_by_label("Email").fill("admin")
        self._page.get_by_label("Password", exact=True).fill("admin")
        self._page.get_by_role("button", name="Log in", exact=True).click()
        expect(self._page.locator(".o_main_navbar")).to_be_visible()

    def _several(self) -> None:
        """What is told before many are sent."""
        self._open("customer-invoices")
        self._page.locator("thead .o_list_record_selector input").check()
        self._click("Send to Front Payment")
        dialog = self._page.get_by_role("dialog")
        expect(dialog).to_contain_text("can't be sent")
        self._take("batch")
        dialog.get_by_role("button", name="Close", exact=True).last.click()

    def _sent_and_paid(self) -> None:
        """An invoice before it is sent, at Front Payment, and when it is paid."""
        self._open("customer-invoices")
        rows = self._page.locator(".o_data_row").filter(has_text=PRIVATE)
        rows.first.click()
        send = self._page.get_by_role("button", name="Send to Front Payment").first
        expect(send).to_be_visible()
        self._take("invoice")
        send.click()
        expect(self._status("Waiting for Customer")).to_be_visible()
        customer = self._page.context.new_page()
        customer.goto(self._sandbox)
        customer.get_by_role("link", name=PRIVATE).first.click()
        self._take("sandbox", customer)
        for action in ("confirm", "pay"):
            customer.locator(f"#action-{action}").click()
        customer.close()
        expect(self._status("Paid")).to_be_visible()
        self._page.reload()  # without the notification
        expect(self._status("Paid")).to_be_visible()
        self._take("paid")

    def _undecided(self) -> None:
        """Two orders that look alike."""
        self._open("customer-invoices")
        rows = self._page.locator(".o_data_row").filter(has_text="Outcome Unknown")
        rows.first.click()
        self._page.locator(".alert-danger").get_by_text("Decide").click()
        dialog = self._page.get_by_role("dialog")
        expect(dialog.locator(".o_data_row")).to_have_count(2)
        self._take("question")

    def _paid_out(self) -> None:
        self._open("frontpay-payouts")
        self._page.locator(".o_data_row").first.click()
        expect(self._page.locator(".o_form_view")).to_be_visible()
        self._take("payout")

    def _open(self, path: str) -> None:
        self._page.goto(f"{self._odoo}/odoo/{path}")
        expect(self._page.locator(".o_list_view")).to_be_visible()

    def _click(self, button: str) -> None:
        self._page.get_by_role("button", name=button).first.click()

    def _status(self, state: str):
        return self._page.locator(".o_field_widget[name='frontpay_state']").filter(
            has_text=state
        )

    def _take(self, name: str, page: Page | None = None) -> None:
        page = page or self._page
        page.wait_for_function(LOADED)
        picture = Image.open(io.BytesIO(page.screenshot(animations="disabled")))
        for folder in (PICTURES, PAGE) if name in ON_PAGE else (PICTURES,):
            save(picture, folder / f"{name}.png")


def save(picture: Image.Image, path: Path) -> None:
    picture.convert("RGB").quantize(COLOURS).save(path, optimize=True)


def main(odoo_port: int, sandbox_port: int) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox", "--disable-gpu"],
        )
        page = browser.new_context(viewport=WINDOW, locale="en-GB").new_page()
        page.set_default_timeout(TIMEOUT)
        expect.set_options(timeout=TIMEOUT)
        odoo, sandbox = (
            f"http://127.0.0.1:{port}" for port in (odoo_port, sandbox_port)
        )
        Photographer(page, odoo, sandbox).work()
        browser.close()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
