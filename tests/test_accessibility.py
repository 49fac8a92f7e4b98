"""Whatever a customer looks at can be read by a screen reader, and on a small phone."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from .mails import html_of

TOO_BAD = ("serious", "critical")
# Not Odoo's own: the page's footer, the printed invoice's frame without a name, and
# what is around our text in a mail.
PAGE = {"include": [["body"]], "exclude": [["footer"], ["#invoice_html"]]}
MAIL = {"include": [["div[lang]"]]}
PERSONAL_NUMBER = "frontpay_personal_number"
# What the customer does, and what the page's address ends with.
RETURNS = {
    "not confirmed": ((), "failure"),
    "just confirmed": ((), "success"),
    "invoiced": (("confirm",), "success"),
    "paid": (("confirm", "pay"), "success"),
    "expired": (("expire",), "failure"),
}


def found_on(page, part: dict) -> list[str]:
    """What axe-core calls serious or critical: its rule and the element."""
    violations = Axe().run(page, part).response["violations"]
    return [
        f"{violation['id']}: {node['html']}"
        for violation in violations
        if violation["impact"] in TOO_BAD
        for node in violation["nodes"]
    ]


@pytest.fixture
def expect_readable(phone):
    """The page on the phone has no fault, and no sideways scrolling."""

    def expect_readable(step: str, part: dict = PAGE) -> None:
        phone.picture(step)
        assert found_on(phone.page, part) == [], step
        phone.expect_no_sideways_scrolling()

    return expect_readable


def act(office, sandbox, invoice: int, actions) -> None:
    order = sandbox.order(office.name(invoice))["orderUuid"]
    for action in actions:
        sandbox.act(order, action)
    office.bookkeeper.click("account.move", "action_frontpay_refresh", invoice)


def sent(office) -> int:
    invoice = office.invoice()
    office.send(invoice)
    return invoice


def ask(office, invoice: int) -> str:
    """The bookkeeper asks the customer for what is missing.

    :return: the form's address, if the customer has no e-mail address
    """
    click = office.bookkeeper.click
    dialog = click("account.move", "action_frontpay_ask_customer", invoice)
    wizard = dialog["res_id"]
    click("frontpay.ask.customer", "action_confirm", wizard)
    return office.bookkeeper.read("frontpay.ask.customer", wizard, "url")["url"]


def test_mails(phone, office, sandbox, post, expect_readable):
    customer = office.customer("Lise Leser", phone=False, lang="en_US")
    lacking = office.invoice(customer)
    ask(office, lacking)
    office.admin.call("res.partner", "write", [customer], {"phone": "+47 406 12 345"})
    invoice = office.invoice(customer)
    office.send(invoice)
    office.send_mails()
    office.pretend_age(invoice, days=4)
    office.bookkeeper.click("account.move", "action_frontpay_remind", invoice)
    values = {"move_id": invoice, "sending_methods": ["email"]}
    send = office.bookkeeper.call("account.move.send.wizard", "create", values)
    office.bookkeeper.click("account.move.send.wizard", "action_send_and_print", send)
    office.send_mails()

    assert len(post.mails) == 4
    for number, mail in enumerate(post.mails):
        phone.page.set_content(html_of(mail))
        expect_readable(f"mail {number}", MAIL)


def test_the_customers_form(phone, office, expect_readable):
    nothing = dict.fromkeys(("email", "phone", "street", "zip", PERSONAL_NUMBER), False)
    invoice = office.invoice(office.customer("Tom Mangel", **nothing))
    phone.page.goto(ask(office, invoice))
    expect_readable("empty")

    phone.page.locator("form").evaluate("form => form.noValidate = true")
    phone.page.locator("[name='email']").fill("tom@")
    phone.page.locator("button[type='submit']:visible").click()
    expect(phone.page.locator("[aria-invalid]").first).to_be_visible()
    expect_readable("mistakes")

    for name, text in {
        "email": "tom@example.com",
        "phone": "+47 406 12 345",
        "street": "Fantasigata 144",
        "zip": "7030",
        PERSONAL_NUMBER: "17858410193",
    }.items():
        phone.page.locator(f"[name='{name}']").fill(text)
    phone.page.locator("button[type='submit']:visible").click()
    expect(phone.page.locator("form [name='email']")).to_have_count(0)
    expect_readable("answered")


@pytest.mark.parametrize("name", RETURNS)
def test_return_pages(phone, office, sandbox, expect_readable, name):
    actions, outcome = RETURNS[name]
    invoice = office.invoice()
    office.send(invoice)
    callback = sandbox.order(office.name(invoice))["payload"]["callback"]
    act(office, sandbox, invoice, actions)
    phone.page.goto(callback[outcome])
    expect_readable(name)


@pytest.fixture
def customer_at_home(browser, office):
    """A customer who is logged in to the portal."""
    customer = office.customer("Pia Portal")
    known = [["module", "=", "base"], ["name", "=", "group_portal"]]
    [group] = office.admin.call("ir.model.data", "search_read", known, ["res_id"])
    login = f"customer-{customer}"
    values = {"login": login, "password": login, "partner_id": customer}
    values["group_ids"] = [[6, 0, [group["res_id"]]]]
    office.admin.call("res.users", "create", [values])
    return customer, login


def test_portal(phone, office, sandbox, customer_at_home, expect_readable):
    customer, login = customer_at_home
    invoices = [office.invoice(customer, price) for price in (100.0, 200.0, 300.0)]
    for invoice, actions in zip(
        invoices, ((), ("confirm",), ("confirm", "pay")), strict=True
    ):
        office.send(invoice)
        act(office, sandbox, invoice, actions)
        phone.page.goto(office.portal_address(invoice))
        expect_readable(f"page after {' '.join(actions) or 'sending'}")
    phone.sit_down(office.person(login))
    phone.page.goto(f"{office.server.url}/my/invoices")
    expect_readable("list")


def test_sandbox(phone, office, sandbox, expect_readable):
    uuid = sandbox.order(office.name(sent(office)))["orderUuid"]
    phone.page.goto(f"{sandbox.url}/faults")
    phone.page.get_by_role("button", name="Store it, and don't answer").click()
    expect(phone.page.locator("#armed")).to_contain_text("The next invoice")
    expect_readable("faults")
    for name, path in {
        "orders": "/",
        "found": "/?q=demokunde",
        "not found": "/?q=nobody",
        "order": f"/orders/{uuid}",
        "pay-outs": "/payouts",
    }.items():
        phone.page.goto(sandbox.url + path)
        expect_readable(name)
    phone.page.get_by_role("button", name="Disarm").click()
    expect(phone.page.locator("#armed")).to_have_text("")
    phone.page.goto(f"{sandbox.url}/orders/{uuid}")
    # In the browser's own time.
    expect(phone.page.locator("time").first).not_to_contain_text("UTC")
    phone.page.get_by_role("link", name="Open the BankID page").click()
    expect_readable("BankID")
