"""A customer compared with Front Payment's, and updated there, in the browser."""

from playwright.sync_api import expect

from .browser import PHONE, opened

WIDE = {"width": 1366, "height": 768}


def test_a_bookkeeper_compares_a_customer_and_updates_it(
    browser, office, sandbox, request
):
    customer = office.customer("Kari Flytteklar")
    office.send(office.invoice(customer))
    changes = {"street": "Nygata 2", "zip": "0150", "city": "Oslo"}
    office.admin.call("res.partner", "write", [customer], changes)
    with opened(browser, office.server.url, request.node.name) as desk:
        desk.sit_down(office.bookkeeper)
        dialog = desk.page.locator(".modal")
        for window in (PHONE, WIDE):
            desk.page.set_viewport_size(window)
            desk.open(f"res.partner/{customer}")
            desk.tab("Invoicing").click()
            compare = desk.button_of("action_frontpay_compare_customer")
            compare.scroll_into_view_if_needed()
            desk.picture(f"form {window['width']}")
            compare.click()
            expect(dialog.get_by_role("status")).to_contain_text("What is marked")
            expect(dialog).to_contain_text("Nygata 2")
            expect(dialog.locator(".badge", has_text="Differs")).to_have_count(3)
            desk.expect_no_sideways_scrolling()
            desk.picture(f"differs {window['width']}")
        update = dialog.get_by_role("button", name="Update at Front Payment")
        update.click()
        expect(dialog.get_by_role("status")).to_contain_text("has what Odoo has")
        expect(update).to_be_hidden()
        desk.picture("updated")
        dialog.locator("footer").get_by_role("button", name="Close").click()
        expect(dialog).to_have_count(0)
        expect(desk.page.locator(".o-mail-Chatter")).to_contain_text(
            "Customer data updated at Front Payment."
        )
    [known] = [
        each["details"]
        for each in sandbox.customers()
        if each["details"]["name"] == "Kari Flytteklar"
    ]
    assert known["address"]["street"] == "Nygata 2"
