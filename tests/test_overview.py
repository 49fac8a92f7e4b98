"""A bookkeeper's batch, with what can't go, and what the overview shows of it."""

import pytest
from playwright.sync_api import expect

from .browser import PHONE, opened

BATCH = 7  # more than are sent while somebody waits


@pytest.fixture
def desk(browser, office, request):
    with opened(browser, office.server.url, request.node.name) as desk:
        desk.sit_down(office.bookkeeper)
        yield desk


def show_only(desk, customer):
    """The list of invoices, with one customer's."""
    desk.open("customer-invoices")
    search = desk.page.locator(".o_searchview_input")
    search.press_sequentially(customer)
    expect(desk.page.locator(".o_searchview_autocomplete")).to_be_visible()
    search.press("Enter")


def test_the_dashboard_leads_to_the_orders(desk, office, sandbox):
    invoices = office.batch(3)
    for invoice in invoices:
        office.send(invoice)
    sandbox.act(sandbox.order(office.name(invoices[0]))["orderUuid"], "confirm")
    office.bookkeeper.click("account.move", "action_frontpay_refresh", invoices[0])
    assert office.state(invoices[0]) == "invoiced"

    desk.open("accounting")
    card = desk.page.locator(".o_kanban_record", has_text="Front Payment")
    expect(card).to_contain_text("2 Waiting for Customer")
    expect(card).to_contain_text("1 Claimed")
    expect(card).to_contain_text("Custom URL")
    desk.picture("card")
    card.get_by_text("2 Waiting for Customer").click()
    expect(desk.page.locator(".o_data_row")).to_have_count(2)
    desk.picture("orders")
    for view in ("kanban", "pivot", "graph"):
        desk.page.locator(f".o_switch_view.o_{view}").click()
        expect(desk.page.locator(f".o_{view}_view")).to_be_visible()
        desk.picture(view)
    desk.page.locator(".o_switch_view.o_list").click()
    desk.page.locator(".o_data_row td[name='partner_id']").first.click()
    expect(desk.page.locator(".o_form_view .o_arrow_button_current")).to_have_text(
        "Waiting for Customer"
    )
    desk.picture("order")


@pytest.mark.parametrize(
    "path",
    ["action-frontpay_odoo.frontpay_exchange_action", "frontpay-waiting"],
)
def test_no_heading_of_a_list_is_cut(desk, office, path):
    office.send(office.invoice())
    desk.page.set_viewport_size({"width": 1366, "height": 768})
    desk.sit_down(office.admin)
    desk.open(path)
    expect(desk.page.locator(".o_data_row").first).to_be_visible()
    headings = desk.page.locator("thead th[data-name] span.text-truncate")
    cut = headings.evaluate_all(
        "all => all.filter(each => each.scrollWidth > each.clientWidth)"
        ".map(each => each.textContent)"
    )
    desk.picture("list")
    assert headings.count()
    assert not cut


def test_a_phone_shows_the_state_in_the_list_of_invoices(desk, office, sandbox):
    invoice = office.invoice(office.customer("Lita Skjerm"))
    office.send(invoice)
    desk.page.set_viewport_size(PHONE)
    desk.open("customer-invoices")
    card = desk.page.locator(".o_kanban_record", has_text=office.name(invoice))
    expect(card).to_contain_text("Waiting for Customer")
    desk.expect_no_sideways_scrolling()
    desk.picture("invoices")


def test_a_batch_is_repaired_sent_and_followed_without_reloading(
    browser, desk, office, sandbox
):
    customer = office.customer("Bunke Birger")
    other = office.customer("Bunke Astrid", email=False)
    good = office.invoices([(customer, 100.0 + n) for n in range(BATCH)])
    [bad] = office.invoices([(other, 500.0)])
    office.invoice()  # of somebody else
    sandbox.fail_next("status", status=417)

    show_only(desk, "Bunke")
    rows = desk.page.locator(".o_data_row")
    expect(rows).to_have_count(BATCH + 1)
    desk.page.locator("thead .o_list_record_selector input").check()
    desk.page.get_by_role("button", name="Send to Front Payment").click()
    dialog = desk.page.get_by_role("dialog")
    expect(dialog).to_contain_text(f"{BATCH} can be sent.")
    expect(dialog).to_contain_text("Bunke Astrid has no e-mail address")
    expect(dialog).to_contain_text("in about a minute")
    desk.picture("dialog")

    dialog.locator("button[name='action_open_records']").click()
    desk.field("email").locator("input").fill("astrid@example.com")
    desk.page.locator(".o_form_button_save").click()
    expect(desk.page.locator(".o_form_button_save")).to_be_hidden()
    desk.page.locator(".o_breadcrumb a, .breadcrumb a").first.click()

    expect(rows).to_have_count(BATCH + 1)
    desk.page.locator("thead .o_list_record_selector input").check()
    desk.page.get_by_role("button", name="Send to Front Payment").click()
    expect(dialog).to_contain_text(f"{BATCH + 1} can be sent.")
    dialog.get_by_role("button", name="Send", exact=True).click()
    expect(dialog).to_be_hidden()

    # Nobody reloads the list.
    states = desk.page.locator("td[name='frontpay_state']")
    expect(states.filter(has_text="Queued")).to_have_count(BATCH + 1)
    office.run_cron("cron_send")
    told = desk.notification("warning")
    expect(told).to_contain_text(f"{BATCH} handed over, 1 needs you")
    expect(states.filter(has_text="Waiting for Customer")).to_have_count(BATCH)
    expect(states.filter(has_text="Not Sent")).to_have_count(1)
    desk.picture("summary")
    told.get_by_role("button", name="Open").click()
    expect(desk.page.locator(".o_data_row")).to_have_count(1)
    desk.picture("needs-you")
    assert sorted(office.state(invoice) for invoice in [*good, bad]) == [
        "failed",
        *["sent"] * BATCH,
    ]

    # What was told a moment ago is told to a window that opens now, while it loads.
    with opened(browser, office.server.url, "another window") as another:
        another.sit_down(office.bookkeeper)
        another.open("frontpay-orders")
        expect(another.notification("warning")).to_be_visible()
        expect(another.page.locator(".o_data_row")).to_have_count(BATCH + 1)
