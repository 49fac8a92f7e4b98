from odoo import api, fields, models
from odoo.fields import Domain

from ..connect.channels import CHANNELS
from ..mapping import customer_problems
from .frontpay_handover import INVOICING

# Of the address that an order needs, what can be missing.
CONTACT = ("email", "phone", "street", "zip", "city", "country_id")


class ResPartner(models.Model):
    """Whether a customer can be invoiced by Front Payment, before there is an
    invoice."""

    # In a file of its own, below what a customer is.
    _inherit = "res.partner"  # pylint: disable=consider-merging-classes-inherited

    frontpay_problems = fields.Char(
        string="Missing for Front Payment",
        compute="_compute_frontpay_problems",
        search="_search_frontpay_problems",
        compute_sudo=True,
        groups=INVOICING,
        help="What has to be filled in or corrected before an invoice to this customer"
        " can be sent.",
    )

    # Not on what is typed: a form would ask Odoo after each field, and lose what is
    # typed meanwhile.
    @api.depends("commercial_partner_id", "frontpay_customer_type", "frontpay_channel")
    @api.depends_context("company", "lang")
    def _compute_frontpay_problems(self):
        for partner in self:
            problems = customer_problems(partner, self.env.company)
            briefs = dict.fromkeys(problem.brief for problem in problems)
            partner.frontpay_problems = ", ".join(briefs)

    def _search_frontpay_problems(self, operator, value):
        """Customers who lack something, or nothing. What is there counts as right."""
        if operator != "in" or list(value) != [False]:
            return NotImplemented
        return ~Domain("id", "in", self.sudo()._search(self._frontpay_lacking_domain()))

    @api.model
    def _frontpay_lacking_domain(self):
        entered, is_company = (
            "frontpay_customer_type_store",
            Domain("is_company", "=", True),
        )
        usual = Domain(entered, "=", False)
        corporate = Domain(entered, "=", "corporate") | usual & is_company
        private = Domain(entered, "=", "private") | usual & ~is_company
        numbers = (
            "frontpay_organization_id_store",
            *self._frontpay_organization_sources(),
        )
        no_organization = Domain.AND(Domain(name, "=", False) for name in numbers)
        lacking = Domain.OR(Domain(name, "=", False) for name in CONTACT)
        lacking |= corporate & no_organization
        if CHANNELS[self.env.company.frontpay_channel].needs_personal_number:
            lacking |= private & Domain("frontpay_number_ids", "=", False)
        return lacking
