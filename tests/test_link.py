"""The customer gets the link by e-mail, confirms on a phone, and the form turns."""

from html.parser import HTMLParser

import pytest
from playwright.sync_api import expect

from devtools.mailbox import mailbox

from .browser import opened
from .databases import rows
from .helpers import at_once

PHONE = {"width": 360, "height": 740}
TWENTY = 20


@pytest.fixture
def post(office):
    """The mail server that Odoo uses, while customers get their links by e-mail."""
    rows(office.server.database, "DELETE FROM mail_mail")  # what others left
    with mailbox() as post:
        values = {"name": "Mailbox", "smtp_host": "127.0.0.1", "smtp_port": post.port}
        server = office.admin.call("ir.mail_server", "create", [values])
        office.configure(frontpay_email_link=True)
        yield post
        office.configure(frontpay_email_link=False)
        office.admin.call("ir.mail_server", "unlink", server)


@pytest.fixture
def desk(browser, office, request):
    with opened(browser, office.server.url, request.node.name) as desk:
        desk.sit_down(office.bookkeeper)
        yield desk


@pytest.fixture
def phone(browser, office, request):
    """The customer's, who isn't logged in anywhere."""
    with opened(browser, office.server.url, f"{request.node.name}-phone") as phone:
        phone.page.set_viewport_size(PHONE)
        yield phone


class Links(HTMLParser):
    def __init__(self, html: str):
        super().__init__()
        self.addresses: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        if tag == "a":
            self.addresses.append(dict(attributes)["href"])


def html_of(mail) -> str:
    return mail.get_body(["html"]).get_content()


def link_of(mail, sandbox) -> str:
    """The one link to Front Payment."""
    [link] = [
        address
        for address in Links(html_of(mail)).addresses
        if address.startswith(sandbox.url)
    ]
    return link


def poll(office, invoice: int) -> None:
    """A colleague asks Front Payment, and nobody touches the open form."""
    colleague = office.person("colleague")
    colleague.click("account.move", "action_frontpay_refresh", invoice)


def expect_wide_as_phone(page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_the_customer_gets_the_link_confirms_and_the_form_turns(
    desk, phone, office, sandbox, post
):
    customer = office.customer("Siri Selvgående", email="siri@example.com")
    invoice = office.invoice(customer)
    name = office.name(invoice)

    desk.open_invoice(invoice)
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
    order = sandbox.order(name)
    assert link_of(mail, sandbox) == order["bankIdUrl"]
    phone.page.set_content(html_of(mail))
    expect_wide_as_phone(phone.page)
    phone.picture("mail")
    phone.page.goto(link_of(mail, sandbox))
    phone.page.get_by_role("button", name="Confirm with BankID").click()
    expect(phone.page.get_by_role("button", name="Pay now")).to_be_visible()
    poll(office, invoice)

    expect(desk.field("frontpay_state").first).to_have_text("Invoiced")
    expect(desk.button("E-mail the Link Again")).to_be_hidden()
    expect(chatter).to_contain_text("Front Payment: Invoiced")
    desk.picture("invoiced")
    phone.page.get_by_role("button", name="Pay now").click()
    expect(phone.page.locator("#wrap")).to_contain_text(name)
    poll(office, invoice)
    expect(desk.page.locator(".ribbon").last).to_have_text("Paid")
    desk.picture("paid")


def test_a_form_that_is_being_edited_stays_as_it_is(desk, office, sandbox, post):
    invoice = office.invoice()
    office.send(invoice)
    desk.open_invoice(invoice)
    desk.tab("Other Info").click()
    reference = desk.field("ref").first.locator("input")
    reference.fill("just typing")

    sandbox.act(sandbox.order(office.name(invoice))["orderUuid"], "confirm")
    poll(office, invoice)

    assert office.state(invoice) == "invoiced"
    expect(reference).to_have_value("just typing")
    expect(desk.page.locator(".o_form_button_save")).to_be_visible()


def test_twenty_customers_get_their_links_from_one_selection(office, sandbox, post):
    office.configure(frontpay_email_link=False)
    invoices = office.batch(TWENTY)
    office.bookkeeper.click("account.move", "action_frontpay_send", *invoices)
    office.run_cron("cron_send")
    assert {office.state(invoice) for invoice in invoices} == {"sent"}

    office.bookkeeper.click("account.move", "action_frontpay_email_link", *invoices)
    office.send_mails()

    links = {link_of(mail, sandbox) for mail in post.mails}
    assert links == {order["bankIdUrl"] for order in sandbox.orders()}
    assert len(post.mails) == TWENTY


def test_two_people_at_once_e_mail_one_link_once(office, sandbox, post):
    office.configure(frontpay_email_link=False)
    invoice = office.invoice()
    office.send(invoice)
    people = [office.bookkeeper, office.person("colleague"), office.admin]

    at_once(
        [
            lambda person=person: person.click(
                "account.move", "action_frontpay_email_link", invoice
            )
            for person in people
        ]
    )
    office.send_mails()

    assert len(post.mails) == 1


def test_a_mail_server_that_is_down_is_told_and_the_next_e_mail_arrives(
    desk, office, sandbox, post
):
    invoice = office.invoice()
    office.send(invoice)
    [server] = office.admin.call("ir.mail_server", "search", [["name", "=", "Mailbox"]])
    nobody = {"smtp_port": 9}  # the discard port
    office.admin.call("ir.mail_server", "write", [server], nobody)
    office.send_mails()
    assert post.mails == []

    desk.open_invoice(invoice)
    alert = desk.page.locator(".alert-danger")
    expect(alert).to_contain_text("The e-mail to the customer failed")
    desk.picture("failed")
    office.admin.call("ir.mail_server", "write", [server], {"smtp_port": post.port})
    desk.button("E-mail the Link Again").click()
    expect(desk.notification("success")).to_be_visible()
    expect(alert).to_be_hidden()
    office.send_mails()
    [mail] = post.mails_to("kunde@example.com")
    assert link_of(mail, sandbox) == sandbox.order(office.name(invoice))["bankIdUrl"]


def test_waiting_customers_are_listed_and_reminded(desk, office, sandbox, post):
    invoices = office.batch(2)
    for invoice in invoices:
        office.send(invoice)
    old, _young = invoices
    office.pretend_age(old, days=4)
    office.send_mails()
    post.mails.clear()

    desk.open("frontpay-waiting")
    rows = desk.page.locator(".o_data_row")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text(office.name(old))
    desk.page.locator("thead .o_list_record_selector input").check()
    desk.picture("list")
    desk.page.get_by_role("button", name="Actions").click()
    desk.page.get_by_role("menuitem", name="Remind Those Older Than Three Days").click()
    told = desk.notification("warning")
    expect(told).to_contain_text("The link was e-mailed to")
    expect(told).to_contain_text("Not e-mailed: 1")
    expect(told).to_contain_text("3 days haven't passed")
    desk.picture("reminded")
    office.send_mails()
    [mail] = post.mails
    assert office.name(old) in mail["Subject"]
    assert mail["Subject"].strip().startswith("Påminnelse")
