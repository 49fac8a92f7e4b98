"""Who may read and write what: every field of ours against every kind of user."""

from datetime import timedelta
from unittest import SkipTest

import psycopg2

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.models import MAGIC_COLUMNS
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import ROOT, RightsCase

DOCUMENT = ROOT / "docs" / "rights.rst"
MEASURED = ROOT / ".dev" / "rights.rst"
TOP = """\
===============
Who may do what
===============

.. Measured by frontpay_odoo/tests/test_rights_table.py, which fails when it isn't so.

Every field of the addon, read and written by every kind of user as over Odoo's API,
whatever the views show. **r** reads, **w** writes, a dot does neither.

=============  =======================================================================
User           Rights in Odoo
=============  =======================================================================
portal         the customer, logged in at the portal; the customer's own records
public         somebody who isn't logged in
employee       *Role / User*, and no rights in accounting
reader         *Accounting / Read-only*
invoicing      *Accounting / Invoicing*, and may edit contacts
adviser        *Accounting / Administrator*, and may edit contacts
system         *Role / Administrator*, and no rights in accounting
stranger       as adviser, in another company of the same database
=============  =======================================================================

Customers without a company of their own are shared by all companies, and so are their
fields, but for those that each company has for itself. A wizard's records are their
maker's own.
"""
USERS = {
    "portal": "base.group_portal",
    "public": "base.group_public",
    "employee": "base.group_user",
    "reader": "account.group_account_readonly",
    "invoicing": "account.group_account_invoice,base.group_partner_manager",
    "adviser": "account.group_account_manager,base.group_partner_manager",
    "system": "base.group_system",
    "stranger": "account.group_account_manager,base.group_partner_manager",
}
# They see nothing at all, whatever the document says.
OUTSIDERS = ("portal", "public", "employee")
NOBODYS = (
    "frontpay.personal.number",
    "frontpay.credential",
    "frontpay.customer.form",
)
SECRETS = {
    "res.company.frontpay_api_token": ("system",),
    "res.company.frontpay_callback_secret": ("system",),
    "frontpay.setup.frontpay_api_token": ("system",),
    "frontpay.setup.frontpay_callback_secret": ("system",),
    "frontpay.order.token": (),
    "frontpay.order.sent_parts": (),
}
# Odoo adds these to every model; our own text about a record is in none of them.
ODOOS_OWN = {"id", "display_name", *MAGIC_COLUMNS}
# What is written where not just anything is taken.
VALUES = {
    "frontpay_personal_number": "17458410100",
    "frontpay_masked_number": "17458410100",
    "frontpay_organization_id": "313131319",
    "frontpay_custom_url": "https://elsewhere.example.com/",
    "frontpay_public_url": "https://elsewhere.example.com",
    "frontpay_tax_rates": "25",
}


@tagged("post_install", "-at_install", "frontpay")
class TestRightsTable(RightsCase):
    groups = USERS

    @classmethod
    def setUpClass(cls):
        if not DOCUMENT.parent.exists():
            raise SkipTest("The project's documents aren't part of an installed addon.")
        super().setUpClass()
        cls.private.with_company(cls.company).frontpay_customer_uuid = "CSRT1"
        move = cls.invoice()
        order = cls.order(move)
        company = {"company_id": cls.company.id}
        cls.records = {
            record._name: record
            for record in (
                cls.private,
                cls.users["portal"],
                cls.company,
                cls.company.frontpay_journal_id,
                move,
                order,
                cls.private.sudo().frontpay_number_ids,
                cls.company.sudo().frontpay_credential_ids,
                cls._made(
                    "account.bank.statement.line",
                    journal_id=cls.company.frontpay_journal_id.id,
                    payment_ref="From Front Payment",
                    amount=1,
                ),
                cls._made(
                    "account.payment",
                    company,
                    journal_id=cls.company.frontpay_journal_id.id,
                    partner_id=cls.private.id,
                    amount=1,
                ),
                cls._made("frontpay.exchange", company, order_id=order.id),
                cls._made(
                    "frontpay.refund",
                    move_id=cls._credited(move).id,
                    order_id=order.id,
                    state="pending",
                    effect="refund",
                ),
                cls._made("frontpay.callback", order_id=order.id, order_uuid="ODR1"),
                cls._made("frontpay.customer.form", move_id=move.id),
                cls._made("frontpay.outage", company),
                cls._made("frontpay.check", company, kind="token"),
                cls._made("frontpay.setup", company),
                cls._made(
                    "frontpay.rate.limit", company, free_at=fields.Datetime.now()
                ),
                cls._made(
                    "frontpay.payout",
                    company,
                    journal_id=cls.company.frontpay_journal_id.id,
                    bank_journal_id=cls.company_data["default_journal_bank"].id,
                ),
                cls._made(
                    "frontpay.remote.order",
                    company,
                    base_url="https://api.example.com/",
                    order_uuid="ODR1",
                ),
            )
        }
        payout, [item, *_others] = cls.records["frontpay.payout"], move.line_ids
        cls.records["frontpay.payout.line"] = cls._made(
            "frontpay.payout.line", payout_id=payout.id, move_line_id=item.id
        )
        report = cls.env["frontpay.settlement.report"].sudo()
        cls.records[report._name] = report.search([], limit=1)

    def setUp(self):
        super().setUp()
        self.records = dict(self.records)  # a dialog ends with its test

    @classmethod
    def _credited(cls, move):
        note = move._reverse_moves()
        note.action_post()
        return note

    @classmethod
    def _made(cls, model, *values, **more):
        values = {name: value for part in values for name, value in part.items()} | more
        if model == "frontpay.exchange":
            values["direction"] = "out"
        return cls.env[model].sudo().create(values)

    @mute_logger("odoo.sql_db")
    def test_the_document_tells_the_rights_that_there_are(self):
        rights = self._measured()
        for what, marks in rights.items():
            with self.subTest(what):
                self._assert_closed(what, marks)
        document = _document(rights)
        if DOCUMENT.exists() and DOCUMENT.read_text() == document:
            return
        MEASURED.parent.mkdir(exist_ok=True)
        MEASURED.write_text(document)
        self.fail(
            f"Rights have changed. Compare {MEASURED.relative_to(ROOT)} with "
            f"{DOCUMENT.relative_to(ROOT)}, and put it in its place if that is meant."
        )

    def test_a_dialog_is_its_makers_own(self):
        for model in sorted(self.env.registry):
            if model.startswith("frontpay.") and self.env[model]._transient:
                dialog = self._record(model, "adviser")
                for login, may in (("adviser", True), ("stranger", False)):
                    with self.subTest(model, login=login):
                        own = self._as(dialog, login)
                        self.assertEqual(self._reads(own, "create_date"), may)

    def _assert_closed(self, what, marks):
        """What must hold even if somebody has put a wrong document in place."""
        model = what.rpartition(".")[0]
        for login in OUTSIDERS:
            self.assertEqual(marks[login], ".")
        if model in NOBODYS:
            self.assertEqual(set(marks.values()), {"."})
        if model in (
            *("frontpay.order", "frontpay.refund"),
            *("frontpay.exchange", "account.move"),
        ):
            self.assertNotIn("w", "".join(marks.values()))
        if model.startswith("frontpay."):
            is_wizard = self.env[model]._transient
            self.assertTrue(is_wizard or marks["stranger"] == ".")
        if what in SECRETS:
            allowed = {login for login, mark in marks.items() if mark != "."}
            self.assertEqual(allowed, set(SECRETS[what]))

    def _measured(self):
        """{"model.field": {login: "rw", "r", "w" or "."}} of all there are."""
        rights = {}
        for model in sorted(self.env.registry):
            for name in self._names(model):
                rights[f"{model}.{name}"] = {
                    login: self._marks(model, name, login) for login in USERS
                }
        return rights

    def _names(self, model):
        if self.env[model]._abstract:
            return []
        is_ours = model.startswith("frontpay.")
        odoos_own = {*ODOOS_OWN, *self.env["mail.thread"]._fields}
        return sorted(
            name
            for name in self.env[model]._fields
            if name.startswith("frontpay_") or (is_ours and name not in odoos_own)
        )

    def _marks(self, model, name, login):
        record = self._as(self._record(model, login), login)
        mark = "r" * self._reads(record, name) + "w" * self._writes(record, name)
        return mark or "."

    def _record(self, model, login):
        """The record that is tried; wizards belong to whoever opened them."""
        if not self.env[model]._transient:
            self.assertIn(model, self.records, "The table needs a record of it.")
            return self.records[model]
        if (model, login) not in self.records:
            user = self.users[login]
            own = self.env[model].with_user(user).with_company(user.company_id)
            self.records[model, login] = own.sudo().create(self._wizard_values(model))
        return self.records[model, login]

    def _wizard_values(self, model):
        if model == "account.move.reversal":
            move = self.records["account.move"]
            return {
                "company_id": move.company_id.id,
                "journal_id": move.journal_id.id,
                "move_ids": [Command.set(move.ids)],
            }
        if model == "frontpay.refund.resolve":
            return {"move_id": self.records["frontpay.refund"].move_id.id}
        if model in ("frontpay.resolve", "frontpay.ask.customer"):
            return {"move_id": self.records["account.move"].id}
        if model == "frontpay.customer.comparison":
            return {"partner_id": self.private.id}
        if model == "frontpay.customer.comparison.line":
            dialogs = self.env["frontpay.customer.comparison"].sudo()
            return {"comparison_id": dialogs.search([], limit=1).id}
        if model == "frontpay.vat.report.row":
            report = self.env["frontpay.vat.report"].create({})
            return {"report_id": report.id, "kind": "same"}
        if model == "frontpay.resolve.candidate":
            dialogs = self.env["frontpay.resolve"].sudo()
            return {"resolve_id": dialogs.search([], limit=1).id}
        return {}

    def _as(self, record, login):
        """The record as that user meets it, after logging in."""
        self.env.invalidate_all()
        user = self.users[login]
        return (
            record.with_env(self.env)
            .with_user(user)
            .with_context(allowed_company_ids=user.company_ids.ids)
        )

    def _reads(self, record, name):
        try:
            record.read([name])
        except AccessError:
            return False
        return True

    def _writes(self, record, name):
        """Whether a change arrives in the database."""
        value = self._other_value(record.sudo(), name)
        with self.undone():
            try:
                record.write({name: value})
                changed = self._stored(record, name)
            except (AccessError, UserError):
                return False
            except psycopg2.IntegrityError:
                return True  # only the database had something against the value
        return changed != self._stored(record, name)

    def _stored(self, record, name):
        record.env.flush_all()
        record.env.invalidate_all()
        value = record.sudo()[name]
        return value.ids if hasattr(value, "ids") else value

    def _other_value(self, record, name):
        field, value = record._fields[name], record[name]
        if name in VALUES:
            return VALUES[name]
        if field.type in ("one2many", "many2many"):
            return [Command.clear()]
        if field.type == "many2one":
            if value and not field.required:
                return False
            others = self.env[field.comodel_name].sudo().search([], limit=2) - value
            return others[:1].id
        if field.type == "selection":
            choices = field.get_values(self.env)
            return next(choice for choice in choices if choice != value)
        if field.type in ("integer", "float", "monetary"):
            return value + 1
        if field.type == "boolean":
            return not value
        if field.type in ("date", "datetime"):
            return (value or fields.Datetime.now()) - timedelta(days=9)
        return f"{value or ''}x"


def _document(rights):
    """The table as reStructuredText."""
    lines = [TOP]
    model = None
    width = max(len(what.rpartition(".")[2]) for what in rights) + 4
    rule = "  ".join(["=" * width, *("=" * len(login) for login in USERS)])
    for what, marks in rights.items():
        place, _dot, name = what.rpartition(".")
        if place != model:
            if model:
                lines += [rule, ""]
            model = place
            lines += [place, "=" * len(place), "", rule]
            lines += ["  ".join(["Field".ljust(width), *USERS]), rule]
        cells = (marks[login].ljust(len(login)) for login in USERS)
        lines.append("  ".join([f"``{name}``".ljust(width), *cells]).rstrip())
    return "\n".join([*lines, rule, ""])
