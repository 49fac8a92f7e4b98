from odoo import fields

from ..connect.masking import masked_number


class PersonalNumber(fields.Char):
    """A number for whoever reads this very field, and has the right to.

    Wherever Odoo collects values on its own, it is masked or can't be chosen.
    """

    exportable = False

    def convert_to_export(self, value, record):
        # Not offered for export, but other systems may ask for it by name.
        return masked_number(value) if value else ""

    def convert_to_display_name(self, value, record):
        return masked_number(value) if value else False

    def _description_groupable(self, env):
        return False

    def _description_sortable(self, env):
        return False
