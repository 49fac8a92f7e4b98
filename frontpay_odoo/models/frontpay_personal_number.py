from odoo import fields, models

from ..connect.masking import masked_number
from ..connect.validation import compact_personal_number


class FrontpayPersonalNumber(models.Model):
    """The personal numbers of private customers, in a table of their own.

    PostgreSQL quotes the whole row of a customer in its complaint when a change is
    refused, such as a customer without a name, and Odoo shows that to whoever tried.
    Nobody has rights here: ``frontpay_personal_number`` of the customer is the way.
    """

    _name = "frontpay.personal.number"
    _description = "Personal Number"

    partner_id = fields.Many2one("res.partner", required=True, ondelete="cascade")
    number = fields.Char(string="Personal Number", required=True)

    # A constraint, for merging customers in Odoo sees no index.
    _unique_partner = models.Constraint("UNIQUE (partner_id)")


class PersonalNumber(fields.Char):
    """A number for whoever reads this very field, as bare digits; an export has it
    masked."""

    exportable = False

    def convert_to_cache(self, value, record, validate=True):
        number = super().convert_to_cache(value, record, validate)
        return number and compact_personal_number(number)

    def convert_to_export(self, value, record):
        # Not offered for export, but other systems may ask for it by name.
        return masked_number(value) if value else ""
