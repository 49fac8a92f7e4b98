from odoo import api, models


class IrConfigParameter(models.Model):
    _inherit = "ir.config_parameter"

    @api.model
    def _frontpay_number(self, name, default, least=1, most=1_000_000):
        """One of the addon's system parameters, whatever somebody typed there.

        :param str name: what comes after ``frontpay_odoo.``
        :param int default: what counts where no sensible whole number stands
        """
        text = self.sudo().get_param(f"frontpay_odoo.{name}") or ""
        is_number = text.isascii() and text.isdigit() and len(text) < 10
        number = int(text) if is_number else default
        return number if least <= number <= most else default
