import logging
from contextlib import contextmanager
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Domain
from odoo.tools import split_every

from ..connect import validation
from ..connect.channels import CHANNELS
from ..connect.masking import masked_number
from ..connect.validation import InvalidValue
from ..mapping.customer import REASONS
from ..mapping.problem import localized
from ..mapping.remedy import administrator_name
from ..tools.notification import notification
from .frontpay_handover import INVOICING, READERS
from .frontpay_personal_number import PersonalNumber

_logger = logging.getLogger(__name__)

LANGUAGES = [
    ("no", "Norwegian"),
    ("en", "English"),
    ("sv", "Swedish"),
    ("da", "Danish"),
    ("de", "German"),
]
# First part of Odoo's language code to Front Payment's; English for all others.
LANGUAGE_OF_LANG = {"nb": "no", "nn": "no", "no": "no"} | {
    code: code for code in ("sv", "da", "de")
}
INTERVALS = [("0", "Daily"), ("1", "Once a month"), ("2", "Twice a month")]
# Where an organization number may already stand, the most specific first.
ORGANIZATION_SOURCES = ("company_registry", "l10n_no_bronnoysund_number", "vat")
YES_OR_NO = [("yes", "Yes"), ("no", "No")]
# What follows from Odoo's own fields where nothing else was entered.
USUAL = {
    "frontpay_customer_type": "_frontpay_usual_customer_type",
    "frontpay_organization_id": "_frontpay_known_organization_number",
    "frontpay_language": "_frontpay_usual_language",
}
ERASED_AT_ONCE = 100  # customers between two commits
# What was agreed with a customer; empty, the company's settings hold.
AGREEMENT = {"company_dependent": True, "groups": INVOICING}


class ResPartner(models.Model):
    _inherit = "res.partner"

    # Nothing of this is stored for each customer, or installing the addon would take
    # long: only what somebody entered that doesn't follow from Odoo's own fields.
    frontpay_customer_type_store = fields.Char(
        string="Customer Type (Entered)", copy=False, groups=fields.NO_ACCESS
    )
    frontpay_organization_id_store = fields.Char(
        string="Organization Number (Entered)", copy=False, groups=fields.NO_ACCESS
    )
    frontpay_language_store = fields.Char(
        string="Language (Entered)", copy=False, groups=fields.NO_ACCESS
    )
    frontpay_customer_type = fields.Selection(
        [("private", "Private person"), ("corporate", "Company")],
        string="Customer Type",
        compute="_compute_frontpay_customer_type",
        inverse=lambda self: self._frontpay_store_choice("frontpay_customer_type"),
        compute_sudo=True,
        groups=INVOICING,
        help="How Front Payment invoices this customer. Follows Odoo's own choice "
        "between person and company until you set it yourself.",
    )
    frontpay_number_ids = fields.One2many(
        "frontpay.personal.number",
        "partner_id",
        string="Stored Personal Number",
        groups=fields.NO_ACCESS,
    )
    frontpay_personal_number = PersonalNumber(
        string="Personal Number (Unmasked)",
        compute="_compute_frontpay_personal_number",
        inverse="_inverse_frontpay_personal_number",
        search="_search_frontpay_personal_number",
        compute_sudo=True,
        groups=INVOICING,
        help="The whole number. The customer's form shows it masked, until somebody "
        "asks for it.",
    )
    frontpay_masked_number = fields.Char(
        string="Personal Number",
        compute="_compute_frontpay_masked_number",
        inverse="_inverse_frontpay_masked_number",
        exportable=False,
        groups=INVOICING,
        help="National identity number or D-number, 11 digits. Front Payment needs it "
        "for private customers, who confirm their order with BankID. Type a whole "
        "number to enter or to change it.",
    )
    frontpay_organization_id = fields.Char(
        string="Organization Number",
        compute="_compute_frontpay_organization_id",
        inverse=lambda self: self._frontpay_store_choice("frontpay_organization_id"),
        compute_sudo=True,
        groups=INVOICING,
        help="Taken from the customer's company ID, Brønnøysund number or VAT number. "
        "Enter it here if it stands in none of them.",
    )
    frontpay_language = fields.Selection(
        LANGUAGES,
        string="Language at Front Payment",
        compute="_compute_frontpay_language",
        inverse=lambda self: self._frontpay_store_choice("frontpay_language"),
        compute_sudo=True,
        groups=INVOICING,
        help="The language in which Front Payment writes to this customer. Follows the "
        "customer's language in Odoo until you set it yourself.",
    )
    frontpay_customer_uuid = fields.Char(
        string="Front Payment Customer Number",
        company_dependent=True,
        readonly=True,
        groups=INVOICING,
        help="Known after the first order.",
    )

    frontpay_order_count = fields.Integer(
        string="Front Payment Orders",
        compute="_compute_frontpay_order_count",
        groups=READERS,
    )
    invoice_sending_method = fields.Selection(
        selection_add=[("frontpay", "by Front Payment")]
    )
    frontpay_channel = fields.Selection(
        [(name, channel.label) for name, channel in CHANNELS.items()],
        string="Channel",
        **AGREEMENT,
        help="How invoices reach this customer. Leave it empty for the way in the "
        "Front Payment settings.",
    )
    frontpay_invoice_interval = fields.Selection(
        INTERVALS,
        string="Invoice Interval",
        **AGREEMENT,
        help="How often Front Payment sends invoices to this customer. Leave it empty "
        "for what the Front Payment settings say.",
    )
    frontpay_separate_invoices = fields.Selection(
        YES_OR_NO,
        string="One Invoice per Order",
        **AGREEMENT,
        help="Yes: each invoice in Odoo becomes one at Front Payment. No: they may be "
        "collected. Leave it empty for what the Front Payment settings say.",
    )
    frontpay_invoice_fee = fields.Selection(
        YES_OR_NO,
        string="Invoice Fee",
        **AGREEMENT,
        help="Whether Front Payment adds its invoice fee. Leave it empty for what the "
        "Front Payment settings say.",
    )

    frontpay_send_on_posting = fields.Selection(
        YES_OR_NO,
        string="Send When Confirmed",
        **AGREEMENT,
        help="Yes: every invoice to this customer is queued for Front Payment as soon"
        " as it is confirmed. Leave it empty for what its journal says.",
    )

    @api.depends_context("uid", "allowed_company_ids")
    def _compute_frontpay_order_count(self):
        path = "move_id.commercial_partner_id"
        counts = dict(
            self.env["frontpay.order"]._read_group(
                [(path, "in", self.commercial_partner_id.ids)], [path], ["__count"]
            )
        )
        for partner in self:
            partner.frontpay_order_count = counts.get(partner.commercial_partner_id, 0)

    @api.depends("commercial_partner_id.frontpay_number_ids.number")
    def _compute_frontpay_personal_number(self):
        for partner in self:
            customer = partner.commercial_partner_id
            partner.frontpay_personal_number = customer.frontpay_number_ids.number

    def _inverse_frontpay_personal_number(self):
        numbers = {
            partner.commercial_partner_id: partner.frontpay_personal_number
            for partner in self.sudo()
        }
        # Deleting forgets what else was to be written, so it comes last.
        for partner, number in sorted(numbers.items(), key=lambda item: not item[1]):
            stored = partner.frontpay_number_ids
            if not number:
                stored.unlink()
            elif stored:
                stored.number = number
            else:
                stored.create({"partner_id": partner.id, "number": number})

    def _search_frontpay_personal_number(self, operator, value):
        # Odoo doesn't ask for the rights where a search is the model's own.
        field = self._fields["frontpay_personal_number"]
        self._check_field_access(field, "read")
        if operator in Domain.NEGATIVE_OPERATORS:
            return NotImplemented
        Number = self.env["frontpay.personal.number"].sudo()
        found = Number._search([("number", operator, value)])
        domain = Domain("commercial_partner_id", "in", found.subselect("partner_id"))
        if operator == "in" and False in value:
            with_number = Number._search([]).subselect("partner_id")
            domain |= Domain("commercial_partner_id", "not in", with_number)
        return domain

    @api.depends("frontpay_personal_number")
    def _compute_frontpay_masked_number(self):
        for partner in self:
            number = partner.frontpay_personal_number
            partner.frontpay_masked_number = number and masked_number(number)

    def _inverse_frontpay_masked_number(self):
        typed = {partner: partner.frontpay_masked_number for partner in self}
        for partner, number in typed.items():
            stored = partner.frontpay_personal_number
            # A form that saves what it was shown changes nothing.
            if not stored or number != masked_number(stored):
                partner.frontpay_personal_number = number
        # Or whoever saved a form would be given back what was typed.
        self.invalidate_recordset(["frontpay_masked_number"])

    @api.depends(
        "commercial_partner_id.is_company",
        "commercial_partner_id.frontpay_customer_type_store",
    )
    def _compute_frontpay_customer_type(self):
        for partner in self:
            customer = partner.commercial_partner_id
            partner.frontpay_customer_type = (
                customer.frontpay_customer_type_store
                or customer._frontpay_usual_customer_type()
            )

    @api.depends(lambda self: self._frontpay_organization_depends())
    def _compute_frontpay_organization_id(self):
        for partner in self:
            customer = partner.commercial_partner_id
            partner.frontpay_organization_id = (
                customer.frontpay_organization_id_store
                or customer._frontpay_known_organization_number()
            )

    @api.depends("lang", "frontpay_language_store")
    def _compute_frontpay_language(self):
        for partner in self:
            partner.frontpay_language = (
                partner.frontpay_language_store or partner._frontpay_usual_language()
            )

    def _frontpay_store_choice(self, name):
        """Store what was entered, unless it is what follows from Odoo's own fields.

        :param str name: of the field, a key of :const:`USUAL`
        """
        chosen = {partner: partner[name] for partner in self.sudo()}
        for partner, value in chosen.items():
            usual = getattr(partner, USUAL[name])()
            partner[f"{name}_store"] = value != usual and value

    def _frontpay_usual_customer_type(self):
        return "corporate" if self.commercial_partner_id.is_company else "private"

    def _frontpay_usual_language(self):
        language = (self.lang or "nb").partition("_")[0]
        return LANGUAGE_OF_LANG.get(language, "en")

    @api.constrains("company_id")
    def _check_frontpay_company(self):
        self._check_frontpay_personal_number()

    # On its own: Odoo skips a check of a stored field and one that isn't.
    @api.constrains("frontpay_personal_number")
    def _check_frontpay_personal_number(self):
        # Superuser, because the check also runs for people who may not see the number.
        for partner in self.sudo().filtered("frontpay_personal_number"):
            company = partner.company_id or self.env.company.sudo()
            allowed = company._frontpay_synthetic_allowed()
            with partner._frontpay_refusing_invalid():
                validation.personal_number(partner.frontpay_personal_number, allowed)

    @api.constrains("frontpay_organization_id")
    def _check_frontpay_organization_id(self):
        for partner in self.sudo().filtered("frontpay_organization_id"):
            with partner._frontpay_refusing_invalid():
                partner._frontpay_organization_number(partner.frontpay_organization_id)

    @contextmanager
    def _frontpay_refusing_invalid(self):
        """Tell what is wrong with a number and what to do, and never the number."""
        try:
            yield
        except InvalidValue as invalid:
            customer = self._frontpay_name() or self.env._("The customer")
            sentence = localized(self.env, REASONS[invalid.reason])
            raise ValidationError(sentence % {"customer": customer}) from None

    def write(self, vals):
        result = super().write(vals)
        if vals.keys() & {"parent_id", "is_company"}:
            self._frontpay_erase_hidden_numbers()
        return result

    @api.model
    def _commercial_fields(self):
        return [
            *super()._commercial_fields(),
            "frontpay_customer_uuid",
            "frontpay_channel",
            "frontpay_invoice_interval",
            "frontpay_separate_invoices",
            "frontpay_invoice_fee",
            "frontpay_send_on_posting",
        ]

    def action_frontpay_open_orders(self):
        """Open the customers' orders."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "frontpay_odoo.frontpay_order_action"
        )
        customers = self.commercial_partner_id.ids
        return action | {"domain": [("move_id.commercial_partner_id", "in", customers)]}

    def action_frontpay_compare_customer(self):
        """Show what Odoo and Front Payment have of the customer, side by side.

        :return: the action that opens the dialog
        :raises AccessError: for users without invoicing rights
        :raises UserError: Front Payment can't be asked about the customer
        """
        self.ensure_one()
        return self.env["frontpay.customer.comparison"]._open_comparison(self)

    # === THE PERSONAL NUMBER: SHOWN AND ERASED === #

    def action_frontpay_show_number(self):
        """Show the whole personal number to somebody who may see it.

        That it was shown, and to whom, stands in the server's log.

        :return: a notification that stays until it is closed
        :raises AccessError: for users without invoicing rights
        """
        self.ensure_one()
        [values] = self.read(["frontpay_personal_number"])
        _logger.info(
            "The personal number of customer %s was shown to user %s",
            self.id,
            self.env.uid,
        )
        number = values["frontpay_personal_number"]
        return notification("info", f"{self._frontpay_name()}: {number}")

    def _frontpay_name(self):
        """Without the address that Odoo adds where a customer was opened from an
        invoice."""
        return self.with_context(show_address=False, show_vat=False).display_name

    def action_frontpay_erase_number(self):
        """Erase the customers' personal numbers, whatever their orders are.

        :raises AccessError: for users who may not write them
        """
        if not self.browse().has_access("write"):
            raise AccessError(
                self.env._(
                    "You may not change customers, so you can't erase their numbers."
                    " Ask %s.",
                    administrator_name(self.env.company),
                )
            )
        self.check_access("write")
        number = self._fields["frontpay_personal_number"]
        self._check_field_access(number, "write")
        self.commercial_partner_id._frontpay_erase_number()

    def _frontpay_erase_number(self):
        """Erase the personal numbers, and tell it in the chatter."""
        customers = self.filtered("frontpay_personal_number")
        customers.frontpay_personal_number = False
        if customers:
            text = self.env._("Personal number erased.")
            customers._message_log_batch(bodies=dict.fromkeys(customers.ids, text))

    def _frontpay_erase_hidden_numbers(self):
        """Erase the numbers of those who now belong to another customer: that one's
        number counts, and theirs would be seen and erased by nobody."""
        numbers = self.env["frontpay.personal.number"].sudo()
        numbers.search([("partner_id", "child_of", self.ids)]).filtered(
            lambda number: number.partner_id.commercial_partner_id != number.partner_id
        ).unlink()

    @api.model
    def _cron_frontpay_erase(self):
        """Erase the personal numbers that aren't needed any more."""
        done = self.sudo()._frontpay_done_customers()
        self.env["ir.cron"]._commit_progress(remaining=len(done))
        for ids in split_every(ERASED_AT_ONCE, done.ids):
            # Whoever is being edited just now has another chance tomorrow.
            self.sudo().browse(ids).try_lock_for_update()._frontpay_erase_number()
            if not self.env["ir.cron"]._commit_progress(len(ids)):
                return

    @api.model
    def _frontpay_done_customers(self):
        """The customers whose personal number isn't needed any more.

        A customer's number is one for all companies. So each company for which there
        was an order has a say: none of its orders may be open, and its days since the
        last one was closed must be over. A company that erases nothing keeps the
        number. Customers who never had an order keep theirs.

        :return: ``res.partner``, archived ones included
        """
        days = "frontpay_erase_after_days"
        if not self.env["res.company"].sudo().search_count([(days, ">", 0)], limit=1):
            return self.browse()
        groups = (
            self.env["frontpay.order"]
            .sudo()
            ._read_group(
                [("partner_id.frontpay_number_ids", "!=", False)],
                ["partner_id", "company_id"],
                ["__count", "closed_at:count", "closed_at:max"],
            )
        )
        now = fields.Datetime.now()
        done, needed = set(), set()
        for customer, company, orders, closed, last_closed_at in groups:
            is_over = (
                company[days]
                and orders == closed
                and last_closed_at + timedelta(days=company[days]) <= now
            )
            (done if is_over else needed).add(customer.id)
        return self.browse(sorted(done - needed))

    @api.model
    def _frontpay_organization_sources(self):
        return [name for name in ORGANIZATION_SOURCES if name in self._fields]

    @api.model
    def _frontpay_organization_depends(self):
        names = [
            "frontpay_customer_type",
            "frontpay_organization_id_store",
            "country_id",
            *self._frontpay_organization_sources(),
        ]
        return [f"commercial_partner_id.{name}" for name in names]

    def _frontpay_known_organization_number(self):
        """Return the first valid organization number that Odoo has, or False.

        None is looked for on private customers: what stands in their VAT field may be
        a number of the person.
        """
        if self.frontpay_customer_type != "corporate":
            return False
        for name in self._frontpay_organization_sources():
            try:
                return self._frontpay_organization_number(self[name])
            except InvalidValue:
                continue
        return False

    def _frontpay_organization_number(self, text):
        """Return the number as Front Payment wants it, by the customer's country.

        :raises InvalidValue: see :func:`validation.organization_number`
        """
        country = self.commercial_partner_id.country_id
        return validation.organization_number(text, country.code)
