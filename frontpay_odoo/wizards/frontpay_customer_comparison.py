import logging
from functools import partial

from odoo import Command, api, fields, models
from odoo.exceptions import UserError
from odoo.tools.translate import LazyTranslate

from ..connect import errors, rules
from ..connect.customer import compared, update_json
from ..connect.masking import masked_number, masked_text
from ..mapping.customer import customer_of_partner
from ..mapping.problem import field_label, localized
from ..tools import transaction
from ..tools.deadline import Deadline
from ..tools.error_messages import customer_message, customer_update_message

_lt = LazyTranslate(__name__)
_logger = logging.getLogger(__name__)

# Where a field of the comparison stands on the customer.
FIELDS = {
    "type": "frontpay_customer_type",
    "name": "name",
    "email": "email",
    "phone": "phone",
    "language": "frontpay_language",
    "personal_number": "frontpay_masked_number",
    "organization_id": "frontpay_organization_id",
    "street": "street",
    "zip": "zip",
    "city": "city",
    "country": "country_id",
}
KINDS = [
    ("differs", "Differs"),
    ("kept", "Not Changed by an Update"),
    ("same", "Same"),
]
# What became of an update: how it is told.
OUTCOMES = {
    "updated": (
        "success",
        _lt("Front Payment has what Odoo has of the customer."),
    ),
    "differs": (
        "warning",
        _lt(
            "Front Payment has taken the update, but what is marked is still different"
            " there. Compare again later; if it stays so, ask Front Payment's support."
        ),
    ),
    "unread": (
        "warning",
        _lt(
            "Front Payment has taken the update, but couldn't be asked what it has now."
            " Compare again later."
        ),
    ),
    "unclear": (
        "warning",
        _lt(
            "No clear answer came back, and Front Payment still has what is marked."
            " Update it again."
        ),
    ),
    "unknown": (
        "warning",
        _lt(
            "No clear answer came back, so it isn't known whether Front Payment has"
            " taken the update. Compare again later; updating twice does no harm."
        ),
    ),
}
# What the customer's chatter says of it.
TAKEN = _lt("Customer data updated at Front Payment.")
UNKNOWN = _lt("It isn't known whether Front Payment has taken the customer's data.")


class FrontpayCustomerComparison(models.TransientModel):
    """What Odoo and Front Payment have of a customer, side by side."""

    _name = "frontpay.customer.comparison"
    _description = "Front Payment: Compare a Customer"

    partner_id = fields.Many2one(
        "res.partner", string="Customer", required=True, readonly=True
    )
    kind = fields.Selection(
        [
            ("info", "Differs"),
            ("success", "Same"),
            ("warning", "Needs Attention"),
            ("danger", "Failed"),
        ],
        string="Outcome",
        readonly=True,
    )
    sentence = fields.Text(readonly=True)
    can_update = fields.Boolean(readonly=True)
    line_ids = fields.One2many(
        "frontpay.customer.comparison.line",
        "comparison_id",
        string="Fields",
        readonly=True,
    )

    @api.model
    def _open_comparison(self, partner):
        """Ask Front Payment what it has of a customer.

        :param partner: one ``res.partner``
        :return: the action that opens the dialog
        :raises UserError: nobody can be asked
        """
        comparison = self.create({"partner_id": partner.id})
        number = comparison._customer_uuid()
        with comparison._open_client() as client:
            there, failure = comparison._fetch(client, number)
            told = failure and ("danger", customer_message(self.env.company, failure))
            comparison._save_outcome(client, partial(comparison._show, there, told))
        return comparison._dialog()

    def action_update(self):
        """Have Front Payment take what Odoo has, and ask what it has then.

        :return: the action that opens the dialog anew
        :raises UserError: something has to be corrected first, or nobody can be asked
        """
        self.ensure_one()
        number = self._customer_uuid()
        here, problems = self._here()
        if problems:
            raise UserError("\n".join(problem.message for problem in problems))
        document = update_json(here)
        self._check_update(here.type, document)
        with self._open_client() as client:
            failure = self._put(client, number, here.type, document)
            is_hopeless = failure and failure.affects_all
            there = None if is_hopeless else self._fetch(client, number)[0]
            self._save_outcome(client, partial(self._record_outcome, there, failure))
        return self._dialog()

    # === FRONT PAYMENT === #

    def _customer_uuid(self):
        """The number that Front Payment gave the customer.

        :raises AccessError: for whoever may not see the customer
        :raises UserError: there is none, or another Front Payment gave it
        """
        self.partner_id.check_access("read")
        company = self.env.company
        number = self.partner_id.frontpay_customer_uuid
        orders = self.env["frontpay.order"].sudo()
        if number and orders.search_count(
            [
                ("company_id", "=", company.id),
                ("base_url", "=", company.sudo()._frontpay_api_url()),
                ("customer_uuid", "=", number),
            ],
            limit=1,
        ):
            return number
        raise UserError(
            self.env._(
                "%(customer)s has no customer number at the Front Payment that the"
                " settings of %(company)s lead to. It comes with the first invoice that"
                " is sent there.",
                customer=self.partner_id._frontpay_name(),
                company=company.name,
            )
        )

    def _open_client(self):
        """:raises UserError: Front Payment can't be called now"""
        if not transaction.is_untouched(self.env, self._name, self.line_ids._name):
            raise UserError(
                self.env._(
                    "Front Payment can't be called in the middle of other changes. Save"
                    " them first."
                )
            )
        return self.env.company._frontpay_client(deadline=Deadline())

    @staticmethod
    def _fetch(client, number):
        """:return: (the :class:`connect.order.Customer` or None, the error or None)"""
        try:
            return client.customer(number), None
        except errors.FrontPaymentError as error:
            return None, error

    @staticmethod
    def _put(client, number, customer_type, document):
        """:return: the error, or None"""
        try:
            client.update_customer(number, customer_type, document)
        except errors.FrontPaymentError as error:
            return error
        return None

    def _save_outcome(self, client, record):
        exchanges = self.env["frontpay.exchange"]
        exchanges._save(self.env.company, client, None, record)

    def _check_update(self, customer_type, document):
        """Hold what is about to be sent against the documented rules.

        :raises UserError: with the rules that are broken, and no value of the document
        """
        violations = rules.customer_violations(customer_type, document)
        if not violations:
            return
        lines = [f"{path}: {rule}" for path, rule in violations]
        _logger.error(
            "Customer %s breaks rules: %s", self.partner_id.id, "; ".join(lines)
        )
        raise UserError(
            self.env._(
                "%(customer)s wasn't updated because of an error in the Front Payment"
                " addon, not in your data. Tell whoever maintains the addon what it got"
                " wrong:\n%(rules)s",
                customer=self.partner_id._frontpay_name(),
                rules="\n".join(lines),
            )
        )

    # === WHAT IS SHOWN === #

    def _here(self):
        """The customer as the next invoice would tell it.

        :return: (:class:`connect.order.Customer`, list of :class:`mapping.Problem`)
        """
        address = self.partner_id.address_get(["invoice"])["invoice"]
        contact = self.partner_id.browse(address)
        return customer_of_partner(contact, self.env.company)

    def _record_outcome(self, there, failure):
        """Tell what became of an update, in the dialog and in the customer's chatter.

        :param there: the :class:`connect.order.Customer` afterwards, or None
        :param failure: the error that the update ended with, or None
        """
        is_unknown = isinstance(failure, errors.UnknownOutcome)
        if failure and not is_unknown:
            told = customer_update_message(self.env.company, failure)
            self._show(there, ("danger", told))
            return
        outcome = self._outcome(there, is_unknown)
        kind, sentence = OUTCOMES[outcome]
        self._show(there, (kind, localized(self.env, sentence)))
        is_taken = not is_unknown or outcome == "updated"
        note = localized(self.env, TAKEN if is_taken else UNKNOWN)
        self.partner_id.commercial_partner_id._message_log(body=note)

    def _outcome(self, there, is_unknown):
        """:return: a key of :const:`OUTCOMES`"""
        if not there:
            return "unknown" if is_unknown else "unread"
        here, _problems = self._here()
        if all(row.kind != "differs" for row in compared(here, there)):
            return "updated"
        return "unclear" if is_unknown else "differs"

    def _show(self, there, told=None):
        """Show what Front Payment has beside what Odoo has.

        :param there: the :class:`connect.order.Customer`, or None if it isn't known
        :param told: (kind, sentence), if not what follows from comparing
        """
        here, problems = self._here()
        rows = compared(here, there) if there else []
        differing = [row.field for row in rows if row.kind == "differs"]
        hindrances = [problem.message for problem in problems]
        if "type" in differing and there.type:
            hindrances.append(self._type_sentence())
        kind, sentence = told or self._verdict(differing, hindrances)
        is_worth_it = differing if there else kind == "warning"
        self.write(
            {
                "kind": kind,
                "sentence": sentence,
                "can_update": bool(is_worth_it and not hindrances),
                "line_ids": [
                    Command.clear(),
                    *(Command.create(self._line_values(row)) for row in rows),
                ],
            }
        )

    def _verdict(self, differing, hindrances):
        """:return: (kind, sentence)"""
        if hindrances:
            return "warning", "\n".join(hindrances)
        if not differing:
            kind, sentence = OUTCOMES["updated"]
            return kind, localized(self.env, sentence)
        return "info", self.env._(
            "What is marked is different at Front Payment. An update sends it what"
            " stands in Odoo."
        )

    def _type_sentence(self):
        return self.env._(
            "Front Payment has the customer under another type, which no update"
            " changes. If Odoo's is right, ask Front Payment's support; else choose the"
            " other one on the customer."
        )

    def _line_values(self, row):
        return {
            "name": field_label(self.partner_id, FIELDS[row.field]),
            "here": self._shown(row.field, row.here),
            "there": self._shown(row.field, row.there),
            "kind": row.kind,
        }

    def _shown(self, name, text):
        """A value as people read it, without a whole personal number."""
        if name == "personal_number" and text:
            return masked_number(text)
        if name == "country":
            country = self.env["res.country"].search([("code", "=", text.upper())])
            return country.name or masked_text(text)
        field = self.partner_id._fields[FIELDS[name]]
        if field.type == "selection":
            labels = dict(field._description_selection(self.env))
            return labels.get(text) or masked_text(text)
        return masked_text(text)

    def _dialog(self):
        name = self.env._("%s at Front Payment", self.partner_id._frontpay_name())
        return self._get_records_action(name=name, target="new")


class FrontpayCustomerComparisonLine(models.TransientModel):
    """One field of the comparison."""

    _name = "frontpay.customer.comparison.line"
    _description = "Front Payment: Compared Field of a Customer"
    _order = "kind, id"  # what differs stands at the top

    comparison_id = fields.Many2one(
        "frontpay.customer.comparison",
        string="Customer",
        required=True,
        readonly=True,
        ondelete="cascade",
    )
    name = fields.Char(string="Field", readonly=True)
    here = fields.Char(string="In Odoo", readonly=True)
    there = fields.Char(string="At Front Payment", readonly=True)
    kind = fields.Selection(KINDS, string="Comparison", readonly=True)
