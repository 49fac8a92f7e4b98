"""The whole story in two browsers: the bookkeeper's form, which is never loaded again,
and what the customer sees on a phone, in the portal and on the printed invoice."""

from dataclasses import dataclass

import pytest
from playwright.sync_api import expect

from .browser import PHONE, opened
from .helpers import wait_until
from .mails import html_of, link_of

CONFIRM = "Confirm with BankID"
OWN_ACCOUNT = "Payment Communication"


@dataclass(frozen=True)
class Moment:
    """What the customer reads, and whether the link stands there.

    :param printed: on the invoice's PDF, of which this is the source
    """

    name: str
    portal: str
    printed: str
    links: int = 0


POSTED = Moment("posted", "Pay Now", OWN_ACCOUNT)
SENT = Moment("sent", "Waits for your confirmation", "Scan the code", links=1)
INVOICED = Moment("invoiced", "Invoiced by Front Payment", "from Front Payment")
PAID = Moment("paid", "Paid, thank you", "Paid, thank you")


@pytest.fixture
def desk(browser, office, request):
    with opened(browser, office.server.url, request.node.name) as desk:
        desk.sit_down(office.bookkeeper)
        yield desk


@pytest.fixture
def printer(browser, office, request):
    """Where the printed invoice is looked at."""
    name = f"{request.node.name}-printed"
    with opened(browser, office.server.url, name) as printer:
        printer.sit_down(office.bookkeeper)
        yield printer


@pytest.fixture
def portal(browser, office, request):
    """Where the customer looks at the invoice, on the same phone."""
    with opened(browser, office.server.url, f"{request.node.name}-portal") as portal:
        portal.page.set_viewport_size(PHONE)
        yield portal


@pytest.fixture
def look(portal, printer, office):
    """Compare the portal and the printed invoice with what a moment promises."""
    report = "/report/html/account.report_invoice_with_payments/"

    def look(invoice: int, moment: Moment, link: str | None = None) -> None:
        portal.page.goto(office.portal_address(invoice))
        page = portal.page.locator("#wrap")
        expect(page).to_contain_text(moment.portal)
        buttons = page.get_by_role("link", name=CONFIRM)
        expect(buttons).to_have_count(moment.links)
        if moment.links:
            expect(buttons).to_have_attribute("href", link)
        portal.expect_no_sideways_scrolling()
        portal.picture(moment.name)

        printer.page.goto(f"{office.server.url}{report}{invoice}")
        paper = printer.page.locator("body")
        expect(paper).to_contain_text(moment.printed)
        if moment.printed != OWN_ACCOUNT:
            expect(paper).not_to_contain_text(OWN_ACCOUNT)
        expect(paper.locator(f"a[href='{link}'] img")).to_have_count(moment.links)
        printer.picture(moment.name)

    return look


def hear(office, invoice: int, state: str) -> None:
    """The callback has come, and Odoo's cron has asked."""

    def heard() -> bool:
        office.run_cron("cron_poll")
        return office.state(invoice) == state

    wait_until(heard, f"the invoice is {state}")


def test_from_the_posted_invoice_to_the_money(desk, phone, look, office, sandbox, post):
    customer = office.customer(
        "Siri Selvgående", email="siri@example.com", lang="en_US"
    )
    invoice = office.invoice(customer)
    name = office.name(invoice)

    desk.open_invoice(invoice)
    desk.page.evaluate("window.isTheSame = true")
    look(invoice, POSTED)
    desk.button("Send to Front Payment").click()
    expect(desk.notification("success")).to_be_visible()
    expect(desk.button("E-mail the Link Again")).to_be_visible()
    expect(desk.page.locator(".o_frontpay_timeline")).to_contain_text("link e-mailed")
    chatter = desk.page.locator(".o-mail-Thread")
    expect(chatter).to_contain_text("The link was e-mailed to siri@example.com.")
    desk.tab("Front Payment").click()
    expect(desk.field("frontpay_link_qr").locator("img")).to_be_visible()
    desk.field("frontpay_link_qr").scroll_into_view_if_needed()
    desk.picture("sent")
    office.send_mails()

    [mail] = post.mails
    assert "siri@example.com" in mail["To"]
    assert name in mail["Subject"]
    link = link_of(mail, sandbox)
    assert link == sandbox.order(name)["bankIdUrl"]
    look(invoice, SENT, link)
    phone.page.set_content(html_of(mail))
    phone.expect_no_sideways_scrolling()
    phone.picture("mail")

    phone.page.get_by_role("link", name=CONFIRM).click()
    phone.page.get_by_role("button", name=CONFIRM).click()
    pay = phone.page.get_by_role("button", name="Pay now")
    expect(pay).to_be_visible()
    hear(office, invoice, "invoiced")
    expect(desk.field("frontpay_state").first).to_have_text("Invoiced")
    expect(desk.button("E-mail the Link Again")).to_be_hidden()
    expect(chatter).to_contain_text("Front Payment: Invoiced")
    desk.picture("invoiced")
    look(invoice, INVOICED)

    pay.click()
    heading = phone.page.get_by_role("heading", level=1)
    expect(heading).to_have_text("Confirmed, thank you")
    expect(phone.page.locator("#wrap")).to_contain_text(name)
    phone.expect_no_sideways_scrolling()
    phone.picture("returned")
    hear(office, invoice, "paid")
    expect(desk.page.locator(".ribbon").last).to_have_text("Paid")
    desk.picture("paid")
    phone.page.reload()
    expect(heading).to_have_text("Paid, thank you")
    phone.picture("paid")
    look(invoice, PAID)
    assert desk.page.evaluate("window.isTheSame")
