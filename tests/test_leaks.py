"""Personal numbers, keys and order tokens go to Front Payment and nowhere else.

A whole flow, seen by every kind of user, on an Odoo that logs all that it can, SQL
included. Then all that was told, logged and stored is searched for every secret, and
each find must be one that is meant.
"""

import contextlib
import re
import subprocess
from collections import Counter
from dataclasses import dataclass, field

import pytest
import requests

from .databases import column, rows
from .helpers import signed_callback
from .office import Office
from .rpc import Person, Refusal

NUMBER = "17858410193"  # synthetic, as all of them
NEW_NUMBER = "17458410100"
OLD_NUMBER = "57858410187"  # erased in the end
LOGS_ALL = ("--log-handler", ":DEBUG", "--log-handler", "odoo.sql_db:DEBUG")
# Users beside the bookkeeper and the administrator, and their rights in Odoo.
PEOPLE = {
    "employee": ("base.group_user", "base.group_partner_manager"),
    "reader": ("account.group_account_readonly",),
    "adviser": (
        "account.group_account_manager",
        "base.group_partner_manager",
        "base.group_allow_export",
    ),
    "keeper": ("base.group_erp_manager",),
    "portal": ("base.group_portal",),
}
INVOICING = {"bookkeeper", "adviser", "admin"}
# What is told on purpose: which secret in answer to what, to whom, and why.
TOLD = {
    ("a personal number", "res.partner/action_frontpay_show_number"): (
        {"bookkeeper", "adviser"},
        "the button Show",
    ),
    ("a personal number", "res.partner/read"): (
        INVOICING,
        "the field, read over the API with invoicing rights",
    ),
    ("a personal number", "res.partner/web_search_read"): (
        {"adviser"},
        "the field, named in the question",
    ),
    ("the token", "res.config.settings/web_read"): (
        {"admin"},
        "the settings' own form, for system administrators",
    ),
    ("the callback secret", "res.config.settings/web_read"): (
        {"admin"},
        "the settings' own form, for system administrators",
    ),
    ("the token", "res.config.settings/onchange"): (
        {"admin"},
        "the settings' own form, for system administrators",
    ),
    ("the callback secret", "res.config.settings/onchange"): (
        {"admin"},
        "the settings' own form, for system administrators",
    ),
    **{
        ("an order's token", f"/frontpay/return/…/{outcome}"): (
            {"public"},
            "the page's own address, in its links, to whoever opened it",
        )
        for outcome in ("success", "failure")
    },
}
# Where a secret is stored on purpose, and why.
STORED = {
    ("frontpay_personal_number", "a personal number"): "the customer's number itself",
    ("frontpay_credential", "the token"): "the company's credentials",
    ("frontpay_credential", "the callback secret"): "the company's credentials",
    ("frontpay_order", "an order's token"): "tells whose callback it is",
}


@dataclass
class Trail:
    """What was told to whom."""

    answers: list = field(default_factory=list)
    calls: Counter = field(default_factory=Counter)

    def of(self, who: str):
        """A hook for the answers that somebody gets."""

        def seen(answer: requests.Response):
            path = answer.request.path_url.partition("?")[0]
            asked = re.sub("^/web/dataset/call_(kw|button)/", "", path)
            self.calls[who] += 1
            self.answers.append((who, asked, f"{answer.headers}\n{answer.text}"))

        return seen


@dataclass
class Flow:
    """The office after the flow, and what has to be looked for."""

    office: Office
    trail: Trail
    secrets: dict[str, list[str]]

    def found_in(self, text: str) -> set[str]:
        return {
            name
            for name, spellings in self.secrets.items()
            if any(spelling in text for spelling in spellings)
        }


@pytest.fixture(scope="module")
def flow(open_office, sandbox_server):
    sandbox_server.reset()
    with open_office("leaks", further=LOGS_ALL) as office:
        trail = Trail()
        office.admin.watch(trail.of("admin"))
        office.bookkeeper.watch(trail.of("bookkeeper"))
        go_through(office, sandbox_server, trail)
        tokens = column(office.server.database, "SELECT token FROM frontpay_order")
        yield Flow(
            office,
            trail,
            {
                "a personal number": [
                    spelling
                    for number in (NUMBER, NEW_NUMBER, OLD_NUMBER)
                    for spelling in (number, f"{number[:6]} {number[6:]}")
                ],
                "the token": [sandbox_server.token],
                "the callback secret": [sandbox_server.secret],
                "an order's token": tokens,
            },
        )


def go_through(office, sandbox, trail):
    """All that happens, in the order in which it does."""
    set_up(office, sandbox)
    customer = enter_customer(office)
    paid = send(office, sandbox, customer)
    public = requests.Session()
    public.trust_env = False
    public.hooks["response"].append(
        lambda answer, **_options: trail.of("public")(answer)
    )
    report(office, sandbox, public, office.name(paid))
    office.run_cron("cron_recover")
    office.run_cron("cron_poll")
    mail_and_print(office, paid)
    for login, groups in PEOPLE.items():
        person = hire(office, login, groups, customer)
        person.watch(trail.of(login))
        snoop(person, customer, paid, office.company.company)
        walk_around(person, customer, paid)
    walk_around(office.bookkeeper, customer, paid)
    erase(office)


def set_up(office, sandbox):
    """The settings: looked at, saved, and tested with a wrong token and the right."""
    fields = (
        "frontpay_api_token",
        "frontpay_callback_secret",
        "frontpay_credential_warning",
    )
    wanted = {name: {} for name in fields}
    settings = "res.config.settings"
    office.admin.call(settings, "onchange", [], {}, [], wanted)
    for token in ("wrong-token", "two\nlines", sandbox.token):
        values = {"frontpay_api_token": token}
        url = {"frontpay_custom_url": sandbox.api_url}
        typed = {"frontpay_environment": "custom", **url, **values}
        with contextlib.suppress(Refusal):
            office.admin.call(settings, "frontpay_test_connection", typed)
        [saved] = office.admin.call(settings, "web_save", [], values, {})
        office.admin.click(settings, "action_frontpay_test_connection", saved["id"])
        office.admin.click(settings, "execute", saved["id"])
        office.admin.call(settings, "web_read", [saved["id"]], wanted)
    with contextlib.suppress(Refusal):
        office.configure(currency_id=False)


def enter_customer(office) -> int:
    """A customer is entered with a number, which is mistyped, looked at and changed."""
    partner = "res.partner"
    customer = office.customer("Kari Lekkasje", frontpay_personal_number=False)
    form = {"frontpay_masked_number": {}, "display_name": {}}
    for number in ("17858410194", f"{NUMBER[:6]} {NUMBER[6:]}", NEW_NUMBER, NUMBER):
        with contextlib.suppress(Refusal):
            values = {"frontpay_masked_number": number}
            office.bookkeeper.call(partner, "web_save", [customer], values, form)
    office.bookkeeper.call(partner, "web_read", [customer], form)
    office.bookkeeper.click(partner, "action_frontpay_show_number", customer)
    number = office.bookkeeper.read(partner, customer, "frontpay_personal_number")
    assert number["frontpay_personal_number"] == NUMBER
    with contextlib.suppress(Refusal):
        office.bookkeeper.call(partner, "write", [customer], {"name": False})
    copies = office.bookkeeper.call(partner, "copy", [customer])
    office.bookkeeper.call(partner, "unlink", copies)
    return customer


def send(office, sandbox, customer) -> int:
    """Two invoices: of one the answer gets lost, one is refused, then sent.

    :return: the second
    """
    paid, unknown = office.invoice(customer, 801), office.invoice(customer, 802)
    sandbox.fail_next("status", status=417)
    office.send(paid)
    office.send(paid)
    sandbox.fail_next("drop", when="after")
    office.send(unknown)
    assert office.state(paid) == "sent"
    assert office.state(unknown) == "unknown"
    office.bookkeeper.click("account.move", "action_frontpay_refresh", paid)
    payload = sandbox.order(office.name(paid))["payload"]
    assert payload["customerDetails"]["personalNumber"] == NUMBER
    return paid


def report(office, sandbox, public, name):
    """The customer confirms and pays; somebody else calls the same addresses."""
    order = sandbox.order(name)
    address = order["payload"]["callback"]
    signed = signed_callback(sandbox, order, "PAID")
    forged = signed | {"checksum": "0" * 64}
    for parameters in (forged, {}, signed | {"timestamp": "1"}):
        public.get(address["callbackUrl"], params=parameters, timeout=30)
    public.get(f"{office.server.url}/frontpay/callback/{'x' * 32}", timeout=30)
    for page in (order["bankIdUrl"], address["success"], address["failure"]):
        public.get(page, timeout=30)
    sandbox.act(order["orderUuid"], "confirm")
    sandbox.act(order["orderUuid"], "pay")


def mail_and_print(office, invoice):
    """The invoice goes out by Odoo as well, as mail and as page."""
    mail = {"model": "account.move", "res_ids": str([invoice]), "subject": "Invoice"}
    body = {"body": "<p>See the attached invoice.</p>", "composition_mode": "comment"}
    [composer] = office.bookkeeper.call("mail.compose.message", "create", [mail | body])
    office.bookkeeper.call("mail.compose.message", "action_send_mail", [composer])
    office.bookkeeper.get(f"/report/html/account.report_invoice/{invoice}")


def hire(office, login, groups, customer) -> Person:
    """A new user; whoever comes by the portal is the customer."""
    ids = [
        office.admin.call("ir.model.data", "check_object_reference", *name.split("."))[
            1
        ]
        for name in groups
    ]
    values = {"login": login, "password": login, "name": login.capitalize()}
    values["group_ids"] = [[6, 0, ids]]
    if login == "portal":
        values["partner_id"] = customer
    office.admin.call("res.users", "create", [values])
    return office.person(login)


def snoop(person, customer, invoice, company):
    """Try to learn what isn't one's own; whatever is answered is kept."""
    partner, move, companies = "res.partner", "account.move", "res.company"
    keys = ["frontpay_api_token", "frontpay_callback_secret"]
    number = "frontpay_personal_number"
    for model, method, *arguments in (
        (partner, "read", [customer], [number]),
        (partner, "read", [customer]),
        (partner, "web_read", [customer], {"frontpay_masked_number": {}}),
        (partner, "web_search_read", [], {"display_name": {}, number: {}}),
        (partner, "search_read", [[number, "=like", "1785%"]], ["name"]),
        (partner, "name_search", NUMBER),
        (partner, "formatted_read_group", [], [number], ["__count"]),
        (partner, "formatted_read_group", [], [], [f"{number}:max"]),
        (partner, "export_data", [customer], [number]),
        (partner, "action_frontpay_show_number", [customer]),
        (partner, "write", [customer], {"name": False}),
        (partner, "copy", [customer]),
        (move, "read", [invoice]),
        (move, "export_data", [invoice], [f"partner_id/{number}"]),
        (companies, "read", [company], keys),
        (companies, "read", [company]),
        (companies, "write", [company], {"currency_id": False}),
        ("res.users", "search_read", [], [number]),
        ("frontpay.order", "search_read", [], ["token"]),
        ("frontpay.order", "search_read", []),
        ("frontpay.exchange", "search_read", []),
        ("frontpay.personal.number", "search_read", []),
        ("res.config.settings", "create", [{}]),
        ("mail.message", "search_read", [["model", "=", move]], ["body"]),
    ):
        with contextlib.suppress(Refusal):
            person.call(model, method, *arguments)


def walk_around(person, customer, invoice):
    """Open the pages that show customers and invoices."""
    for path in (
        "/odoo",
        "/my",
        "/my/account",
        "/my/invoices",
        f"/my/invoices/{invoice}",
        f"/web/partner/vcard?partner_ids={customer}",
        f"/report/html/account.report_invoice/{invoice}",
        f"/web/image/res.partner/{customer}/avatar_128",
    ):
        person.get(path)


def erase(office):
    """A number that was used before is erased: nothing of it may be left."""
    values = {"name": "Ola Glemt", "frontpay_personal_number": OLD_NUMBER}
    customer = office.bookkeeper.call("res.partner", "create", [values])
    office.bookkeeper.click("res.partner", "action_frontpay_erase_number", *customer)
    assert not rows(
        office.server.database,
        f"SELECT 1 FROM frontpay_personal_number WHERE number = '{OLD_NUMBER}'",
    )


def test_no_answer_tells_a_secret_to_the_wrong_person(flow):
    found = {
        (secret, re.sub(r"[\w-]{32}", "…", asked), who)
        for who, asked, text in flow.trail.answers
        for secret in flow.found_in(text)
    }
    meant = {(*what, who) for what, (people, _reason) in TOLD.items() for who in people}
    assert sorted(found - meant) == []
    assert sorted(meant - found) == [], "these aren't told any more"


def test_no_secret_stands_in_the_log(flow):
    log = flow.office.server.log
    found = [line[:300] for line in log.splitlines() if flow.found_in(line)]
    assert found == []


def test_no_secret_is_stored_but_in_its_place(flow):
    found = {
        (table, secret)
        for table, text in tables(flow.office.server.database)
        for secret in flow.found_in(text)
    }
    assert found == STORED.keys()


def test_no_file_that_odoo_keeps_holds_a_secret(flow, data_dir):
    files = [path for path in data_dir.rglob("*") if path.is_file()]
    found = [
        path.name
        for path in files
        if flow.found_in(path.read_bytes().decode("latin-1"))
    ]
    attachments = rows(
        flow.office.server.database,
        "SELECT name, db_datas FROM ir_attachment WHERE db_datas IS NOT NULL",
    )
    found += [
        name
        for name, content in attachments
        if flow.found_in(bytes(content).decode("latin-1"))
    ]
    assert files
    assert attachments
    assert found == []


def test_the_traces_are_those_of_the_flow(flow, show):
    """Or the tests above would find nothing for the wrong reason."""
    log = flow.office.server.log
    texts = dict(tables(flow.office.server.database))
    show(
        "Searched for secrets",
        {
            "secrets": sum(map(len, flow.secrets.values())),
            "answers": len(flow.trail.answers),
            "kinds of people": len(flow.trail.calls),
            "lines of the log": log.count("\n"),
            "tables": len(texts),
            "answers that tell one": len(TOLD),
            "tables that hold one": len(STORED),
        },
    )
    for told in (
        "/frontpay/callback/*****",
        "/frontpay/return/*****/success",
        'INSERT INTO "frontpay_personal_number"',
        'UPDATE "frontpay_credential"',
        'null value in column "currency_id" of relation "res_company"',
        "bad query",
        "was shown to user",
        "urllib3.connectionpool",
        "connect/orders/invoice/submit",
    ):
        assert told in log, told
    people = {"admin", "bookkeeper", "public", *PEOPLE}
    assert set(flow.trail.calls) == people
    assert all(flow.trail.calls[who] >= 5 for who in people), flow.trail.calls
    assert "Front Payment rejected" in texts["mail_message"]
    assert "178584*****" in texts["frontpay_exchange"]
    assert "Personal number erased." in texts["mail_message"]
    assert "See the attached invoice." in texts["mail_message"]


def tables(database: str):
    """(table, all that is stored in it as text)."""
    dump = subprocess.run(
        ["pg_dump", "--data-only", database], capture_output=True, text=True, check=True
    ).stdout
    for block in re.finditer(
        r"^COPY public\.(\w+) .*?;\n(.*?)^\\\.$", dump, re.DOTALL | re.MULTILINE
    ):
        yield block[1], block[2]
