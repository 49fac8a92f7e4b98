"""The customer gets the link by e-mail, once, and again where that is wanted."""

import pytest
from playwright.sync_api import expect

from .browser import opened
from .helpers import at_once
from .mails import link_of

TWENTY = 20


@pytest.fixture
def desk(browser, office, request):
    with opened(browser, office.server.url, request.node.name) as desk:
        desk.sit_down(office.bookkeeper)
        yield desk


def poll(office, invoice: int) -> None:
    """A colleague asks Front Payment, and nobody touches the open form."""
    colleague = office.person("colleague")
    colleague.click("account.move", "action_frontpay_refresh", invoice)


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
    told = desk.notification("success").filter(has_text="The link was e-mailed")
    expect(told).to_be_visible()
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
    remind = "Remind All Who Have Waited 3 Days"
    desk.page.get_by_role("button", name=remind).click()
    told = desk.notification("warning")
    expect(told).to_contain_text("The link was e-mailed to")
    expect(told).to_contain_text("Not e-mailed: 1")
    expect(told).to_contain_text("3 days haven't passed")
    desk.picture("reminded")
    office.send_mails()
    [mail] = post.mails
    assert office.name(old) in mail["Subject"]
    assert mail["Subject"].strip().startswith("Påminnelse")
