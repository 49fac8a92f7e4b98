"""What a bookkeeper and a customer see, from the posted invoice to the money."""

import re

import pytest
from playwright.sync_api import expect

from .browser import opened
from .helpers import wait_until


@pytest.fixture
def office(busy_office):
    """With Odoo's own crons: whatever is reported is followed by itself."""
    return busy_office


@pytest.fixture
def desk(browser, office, request):
    """The browser window of the bookkeeper."""
    with opened(browser, office.server.url, request.node.name) as desk:
        yield desk


@pytest.fixture
def customer(browser, office, request):
    """The browser of the customer, who isn't logged in anywhere."""
    name = f"{request.node.name}-customer"
    with opened(browser, office.server.url, name) as desk:
        yield desk


def test_invoice_is_sent_confirmed_and_paid(desk, customer, office, sandbox):
    invoice = office.invoice()
    name = office.name(invoice)
    desk.log_in(office.bookkeeper)

    desk.open_invoice(invoice)
    send = desk.button("Send to Front Payment")
    expect(send).to_have_class(re.compile("btn-primary"))
    expect(desk.button("Send")).not_to_have_class(re.compile("btn-primary"))
    desk.picture("posted")

    send.click()
    expect(desk.notification("success")).to_contain_text(
        "1 invoice handed to Front Payment."
    )
    expect(send).to_be_hidden()
    desk.picture("sent")
    order = sandbox.order(name)
    desk.tab("Front Payment").click()
    expect(desk.field("frontpay_state")).to_have_text("Waiting for Customer")
    expect(desk.field("frontpay_order_uuid")).to_contain_text(order["orderUuid"])
    expect(desk.field("frontpay_customer_uuid")).to_contain_text(order["customerUuid"])
    expect(desk.field("frontpay_verification_url")).to_contain_text(sandbox.url)
    desk.picture("tab")

    opened = desk.new_tab(
        desk.field("frontpay_verification_url").get_by_role("link").click
    )
    assert opened.url == order["bankIdUrl"]

    customer.page.goto(order["bankIdUrl"])
    customer.picture("bankid")
    customer.page.get_by_role("button", name="Confirm with BankID").click()
    pay = customer.page.get_by_role("button", name="Pay now")
    expect(pay).to_be_visible()
    customer.picture("pay")
    pay.click()
    expect(customer.page.get_by_role("heading", name="Takk")).to_be_visible()
    assert customer.page.url.startswith(f"{office.server.url}/frontpay/return/")
    expect(customer.page.locator("html")).to_have_attribute("lang", "nb-NO")
    expect(customer.page.locator("#wrap")).to_contain_text(name)
    customer.picture("success")

    wait_until(lambda: office.state(invoice) == "paid", "the invoice is paid")
    expect_paid(desk, office, invoice)
    desk.page.goto(sandbox.url)
    row = desk.page.locator(f"tr[data-order='{order['orderUuid']}']")
    expect(row).to_contain_text("PAID")
    expect(row).to_contain_text(name)
    desk.picture("sandbox")


def expect_paid(desk, office, invoice):
    """The form and the books say that the invoice is paid."""
    desk.open_invoice(invoice)
    # While the form is read anew, the former one is there as well.
    expect(desk.page.locator(".ribbon").last).to_have_text("Paid")
    desk.tab("Front Payment").click()
    expect(desk.field("frontpay_state")).to_have_text("Paid")
    expect(desk.field("frontpay_verification_url")).to_be_hidden()
    desk.picture("paid")
    [payment] = office.payments(invoice)
    assert payment["journal_id"] == office.company.journal
    assert payment["amount"] == office.money(invoice)["amount_total"]
    assert payment["is_reconciled"]
    assert payment["state"] == "paid"
    assert office.money(invoice)["payment_state"] == "paid"


def test_lost_callbacks_are_made_good_from_the_list_and_the_dashboard(
    desk, office, sandbox
):
    sandbox.set_callbacks(False)
    customer = office.customer("Tapt Melding")
    invoices = [office.invoice(customer, price) for price in (100.0, 200.0)]
    for invoice in invoices:
        office.send(invoice)
        sandbox.act(sandbox.order(office.name(invoice))["orderUuid"], "pay")
    assert [office.state(invoice) for invoice in invoices] == ["sent"] * 2
    desk.sit_down(office.bookkeeper)

    desk.open("accounting")
    card = desk.page.locator(".o_kanban_record", has_text="Front Payment")
    update = card.get_by_text("Update Status", exact=True)
    expect(update).to_be_visible()
    desk.picture("dashboard")
    update.click()
    expect(desk.notification("success")).to_contain_text("The status is up to date.")
    desk.picture("updated")
    assert [office.state(invoice) for invoice in invoices] == ["paid"] * 2

    another = office.invoice(customer, 300.0)
    office.send(another)
    sandbox.act(sandbox.order(office.name(another))["orderUuid"], "pay")
    desk.open("frontpay-orders")
    row = desk.page.locator(".o_data_row", has_text=office.name(another))
    row.locator(".o_list_record_selector input").check()
    desk.page.get_by_role("button", name="Update Status").click()
    expect(desk.notification("success")).to_contain_text("The status is up to date.")
    expect(row.locator("td[name='state']")).to_have_text("Paid")


def test_customer_who_aborts_comes_to_the_failure_page(customer, office, sandbox):
    invoice = office.invoice()
    office.send(invoice)

    customer.page.goto(sandbox.order(office.name(invoice))["bankIdUrl"])
    customer.page.get_by_role("button", name="Abort").click()

    heading = customer.page.get_by_role("heading", name="Ikke ferdig ennå?")
    expect(heading).to_be_visible()
    expect(customer.page.locator("#wrap")).to_contain_text(office.name(invoice))
    customer.picture("failure")
    assert office.state(invoice) == "sent"


def test_rejected_invoice_is_corrected_and_sent_again(desk, office, sandbox):
    customer = office.customer("Ola Prøvesen")
    invoice = office.invoice(customer)
    sandbox.fail_next("status", status=417)
    desk.sit_down(office.bookkeeper)

    desk.open_invoice(invoice)
    desk.button("Send to Front Payment").click()
    expect(desk.notification("danger")).to_contain_text(
        "Front Payment rejected the invoice."
    )
    alert = desk.page.locator(".alert-danger")
    expect(alert).to_contain_text("This answer was asked for in the sandbox.")
    desk.picture("rejected")
    desk.tab("Front Payment").click()
    expect(desk.field("frontpay_state")).to_have_text("Not Sent")
    desk.picture("not sent")

    desk.open(f"res.partner/{customer}")
    desk.field("email").locator("input").fill("corrected@example.com")
    desk.page.locator(".o_form_button_save").click()
    expect(desk.page.locator(".o_form_button_save")).to_be_hidden()

    desk.open_invoice(invoice)
    desk.button("Send to Front Payment Again").click()
    expect(desk.notification("success")).to_be_visible()
    expect(alert).to_be_hidden()
    desk.picture("sent again")
    order = sandbox.order(office.name(invoice))
    assert order["payload"]["customerDetails"]["email"] == "corrected@example.com"
    assert [order["state"] for order in office.orders(invoice)] == ["failed", "sent"]


def test_missing_data_leads_to_the_customer(desk, office, sandbox):
    customer = office.customer("Astrid Utenpost", email=False)
    invoice = office.invoice(customer)
    desk.sit_down(office.bookkeeper)

    desk.open_invoice(invoice)
    desk.button("Send to Front Payment").click()
    dialog = desk.page.get_by_role("dialog")
    expect(dialog).to_contain_text("Astrid Utenpost")
    expect(dialog).to_contain_text("e-mail")
    desk.picture("missing")
    assert office.orders(invoice) == []
    assert sandbox.orders() == []

    dialog.get_by_role("button", name="Open Astrid Utenpost").click()
    email = desk.field("email").locator("input")
    email.fill("astrid@example.com")
    desk.page.locator(".o_form_button_save").click()
    expect(desk.page.locator(".o_form_button_save")).to_be_hidden()
    desk.picture("corrected")

    desk.open_invoice(invoice)
    desk.button("Send to Front Payment").click()
    expect(desk.notification("success")).to_be_visible()
    assert office.state(invoice) == "sent"


def test_three_invoices_are_sent_from_the_list(desk, office, sandbox):
    customer = office.customer("Birger Bunke")
    invoices = [office.invoice(customer, price) for price in (100.0, 200.0, 300.0)]
    desk.sit_down(office.bookkeeper)

    desk.open("customer-invoices")
    rows = desk.page.locator(".o_data_row")
    expect(rows.first).to_be_visible()
    search = desk.page.locator(".o_searchview_input")
    search.press_sequentially("Birger Bunke")
    expect(desk.page.locator(".o_searchview_autocomplete")).to_be_visible()
    search.press("Enter")
    expect(rows).to_have_count(3)
    desk.page.locator("thead .o_list_record_selector input").check()
    desk.picture("buttons")
    desk.page.get_by_role("button", name="Send to Front Payment").click()

    expect(desk.notification("success")).to_contain_text(
        "3 invoices handed to Front Payment."
    )
    for row in range(3):
        expect(rows.nth(row).locator("td[name='frontpay_state']")).to_have_text(
            "Waiting for Customer"
        )
    desk.picture("sent")
    assert [office.state(invoice) for invoice in invoices] == ["sent"] * 3
    for invoice in invoices:
        assert sandbox.order(office.name(invoice))


def test_customer_form_has_a_front_payment_group(desk, office):
    desk.sit_down(office.bookkeeper)

    desk.open(f"res.partner/{office.company.private}")
    desk.tab("Invoicing").click()
    number = desk.field("frontpay_masked_number")
    expect(number.locator("input")).to_have_value("178584*****")
    expect(desk.field("frontpay_organization_id")).to_be_hidden()
    number.scroll_into_view_if_needed()
    desk.picture("private")
    assert "17858410193" not in desk.page.content()
    desk.button_of("action_frontpay_show_number").click()
    expect(desk.notification("info")).to_contain_text("17858410193")
    desk.picture("shown")

    desk.open(f"res.partner/{office.company.corporate}")
    desk.tab("Invoicing").click()
    organization = desk.field("frontpay_organization_id")
    expect(organization.locator("input")).to_have_value("313131319")
    expect(number).to_be_hidden()
    organization.scroll_into_view_if_needed()
    desk.picture("corporate")


def test_a_personal_number_is_entered_and_erased(desk, office):
    customer = office.customer("Trygve Glemt", frontpay_personal_number=False)
    desk.sit_down(office.bookkeeper)
    desk.open(f"res.partner/{customer}")
    desk.tab("Invoicing").click()
    number = desk.field("frontpay_masked_number").locator("input")
    erase = desk.button_of("action_frontpay_erase_number")

    expect(number).to_have_value("")
    expect(erase).to_be_hidden()
    number.fill("178584 10193")
    desk.page.locator(".o_form_button_save").click()
    expect(number).to_have_value("178584*****")
    erase.click()
    dialog = desk.page.get_by_role("dialog")
    expect(dialog).to_contain_text("Erase this customer's personal number?")
    desk.picture("question")
    dialog.get_by_role("button", name="Erase").click()
    expect(number).to_have_value("")
    expect(desk.page.locator(".o-mail-Thread")).to_contain_text(
        "Personal number erased."
    )
    desk.picture("erased")


def test_settings_tell_a_right_token_from_a_wrong_one(desk, office, sandbox):
    desk.sit_down(office.admin)
    desk.open("settings")
    desk.page.get_by_role("tab", name="Invoicing").click()
    heading = desk.page.get_by_role("heading", name="Front Payment", exact=True)
    heading.evaluate("heading => heading.scrollIntoView()")
    desk.picture("settings")
    test = desk.button_of("action_frontpay_test_connection")

    test.click()
    expect(desk.notification("success")).to_contain_text("accepts the token")
    desk.picture("right token")

    token = desk.field("frontpay_api_token").locator("input")
    expect(token).to_have_attribute("type", "password")
    token.fill("wrong-token")
    try:
        test.click()
        expect(desk.notification("danger")).to_contain_text("doesn't accept the token")
        desk.picture("wrong token")
    finally:
        office.configure(frontpay_api_token=sandbox.token)
