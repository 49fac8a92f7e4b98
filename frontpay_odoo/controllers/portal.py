from odoo.fields import Domain
from odoo.http import request

from odoo.addons.account_payment.controllers.portal import PortalAccount

from ..models.account_move_send import METHOD


class FrontPaymentPortal(PortalAccount):
    def _get_overdue_invoices_domain(self, partner_id=None):
        """Invoices that Front Payment collects aren't overdue here, so that *Pay
        overdue* asks for none of them, and no call can."""
        domain = Domain(super()._get_overdue_invoices_domain(partner_id))
        overdue = request.env["account.move"].sudo().search(domain)
        return list(domain & Domain("id", "not in", overdue._frontpay_claimed().ids))

    def _prepare_my_account_rendering_values(self, *args, **kwargs):
        """A customer's address form keeps the way in which invoices are sent."""
        values = super()._prepare_my_account_rendering_values(*args, **kwargs)
        partner = request.env.user.partner_id
        if partner.invoice_sending_method == METHOD:
            field = partner._fields["invoice_sending_method"]
            label = dict(field._description_selection(request.env))[METHOD]
            values["invoice_sending_methods"][METHOD] = label
        return values
