"""From *Apps* in a new, empty database to the first invoice at Front Payment, by clicks
alone: as an administrator of a company in Norway who reads nothing."""

import os
import time

import pytest
from playwright.sync_api import expect

from .browser import PHONE, opened
from .databases import column, drop
from .processes import odoo_server, python
from .rpc import Refusal

# What Odoo's own page for a new database does.
NEW_DATABASE = """
import sys
from odoo.service.db import exp_create_database
from odoo.tools import config
config.parse_config([])
exp_create_database(sys.argv[1], False, "en_US", "admin", "admin", "NO")
"""
INSTALLATION = 300_000  # milliseconds, for busy machines
MINUTES = 5


@pytest.fixture
def server(data_dir):
    database = f"{os.environ['FRONTPAY_TEMPLATE_DB']}_first_steps"
    drop(database)
    try:
        made = python("-c", NEW_DATABASE, database)
        assert made.returncode == 0, made.stdout[-2000:]
        # In threads: a worker process would end before a slow installation does.
        crons = ("--max-cron-threads", "1")
        server = odoo_server("first-steps", database, data_dir, further=crons)
        try:
            server.start()
            yield server
        finally:
            server.stop()
    finally:
        drop(database)


@pytest.fixture
def desk(browser, server, request):
    with opened(browser, server.url, request.node.name) as desk:
        desk.page.set_viewport_size({"width": 1366, "height": 768})
        yield desk


class Clicks:
    """How often somebody presses the mouse, on whatever page."""

    def __init__(self, page):
        self.count = 0
        page.expose_function("countClick", self._count)
        page.add_init_script(
            "addEventListener('pointerdown', () => window.countClick(), true)"
        )

    def _count(self):
        self.count += 1


def enter_the_keys(desk, sandbox):
    page = desk.page
    page.get_by_label("Custom URL").check()
    page.get_by_label("API Base URL").fill(sandbox.api_url)
    page.get_by_label("API Token").fill(sandbox.token)
    page.get_by_label("Callback Secret").fill(sandbox.secret)


def step_is(desk, name):
    current = desk.page.locator(".o_statusbar_status .o_arrow_button_current")
    expect(current).to_have_text(name)


def enter_customer(desk):
    """In the dialog that Odoo opens for a customer who isn't known yet."""
    page = desk.page
    partner = desk.field("partner_id").locator("input")
    partner.fill("Kari Demokunde")
    page.get_by_role("option", name="Create and edit...").click()
    dialog = page.locator(".modal-content")
    dialog.get_by_label("Person").check()
    # Odoo asks what the choice changes; no person types a street meanwhile.
    expect(dialog.locator(".o_field_widget[name='function']")).to_be_visible()
    for name, value in (
        ("street", "Fantasigata 144"),
        ("zip", "7030"),
        ("city", "Trondheim"),
        ("email", "kari@example.com"),
        ("phone", "+47 406 12 345"),
    ):
        dialog.locator(f".o_field_widget[name='{name}'] input").fill(value)
    country = dialog.locator(".o_field_widget[name='country_id'] input")
    country.fill("Norway")
    page.get_by_role("option", name="Norway", exact=True).click()
    dialog.get_by_role("tab", name="Invoicing").click()
    number = dialog.locator(".o_field_widget[name='frontpay_masked_number'] input")
    number.fill("17858410193")
    dialog.locator(".o_form_button_save").click()
    expect(dialog).to_be_hidden()


def enter_line(desk):
    page = desk.page
    page.get_by_role("button", name="Add a line").click()
    row = page.locator(".o_field_widget[name='invoice_line_ids'] .o_selected_row")
    row.locator("textarea, input").first.fill("Router")
    row.locator("[name='price_unit'] input").fill("40")


def test_from_apps_to_the_first_invoice(desk, server, sandbox, show):
    page, clicks = desk.page, Clicks(desk.page)
    page.goto(f"{server.url}/web/login")
    page.get_by_label("Email").fill("admin")
    page.get_by_label("Password", exact=True).fill("admin")
    page.get_by_role("button", name="Log in", exact=True).click()
    expect(page.locator(".o_main_navbar")).to_be_visible()
    desk.open("apps")
    clicks.count, began = 0, time.monotonic()

    page.get_by_role("searchbox").fill("front payment")
    expect(page.locator(".o_searchview_autocomplete")).to_contain_text("Search Module")
    page.keyboard.press("Enter")
    app = page.locator(".o_kanban_record:not(.o_kanban_ghost)")
    expect(app).to_have_count(1)
    expect(app).to_contain_text("Front Payment Go")
    desk.picture("apps")
    app.get_by_role("button", name="Activate").click()
    page.wait_for_url("**/odoo/frontpay-setup**", timeout=INSTALLATION)
    expect(page.get_by_role("heading", name="Set Up Front Payment")).to_be_visible()
    installed = time.monotonic()
    desk.picture("set-up")

    step_is(desk, "Keys")
    enter_the_keys(desk, sandbox)
    page.get_by_role("button", name="Create Journal").click()
    step_is(desk, "Test")
    desk.picture("journal")
    page.reload()  # it goes on where somebody left
    step_is(desk, "Test")
    page.get_by_role("button", name="Check Everything").click()
    step_is(desk, "Ready")
    found = page.locator(".o_data_row", has_text="Callback").last
    expect(found).to_contain_text("A test callback came in")
    found.scroll_into_view_if_needed()
    desk.picture("checked")

    page.get_by_role("button", name="Go to Invoices").click()
    page.locator(".o_list_button_add").first.click()
    enter_customer(desk)
    enter_line(desk)
    desk.button("Confirm").click()
    desk.button("Send to Front Payment").click()
    expect(desk.notification("success")).to_be_visible()
    took = time.monotonic() - began
    desk.picture("sent")
    [order] = sandbox.orders()
    assert order["payload"]["customerDetails"]["name"] == "Kari Demokunde"
    assert order["orderAmount"] == "40.00"
    assert column(server.database, "SELECT state FROM frontpay_order") == ["sent"]

    show(
        "from Apps to the first invoice handed over",
        {
            "clicks": clicks.count,
            "seconds": round(took),
            "of which installing": round(installed - began),
        },
    )
    assert took < MINUTES * 60

    page.set_viewport_size(PHONE)
    desk.open("frontpay-setup")
    desk.expect_no_sideways_scrolling()
    desk.picture("set-up-phone")


def test_a_bookkeeper_is_told_whom_to_ask_and_that_person_gets_an_activity(
    office, sandbox
):
    """What refuses to send takes back whatever it wrote, but not the activity."""
    asked = "SELECT user_id FROM mail_activity WHERE res_model = 'res.partner'"
    invoice = office.invoice()
    office.configure(frontpay_api_token=False)
    try:
        with pytest.raises(Refusal, match=r"Ask .+ to correct this") as caught:
            office.send(invoice)
        assert caught.value.kind == "UserError"
        [user] = column(office.server.database, asked)
        login = f"SELECT login FROM res_users WHERE id = {user}"
        assert column(office.server.database, login) == ["admin"]
    finally:
        office.configure(frontpay_api_token=sandbox.token)
    assert column(office.server.database, asked) == []
