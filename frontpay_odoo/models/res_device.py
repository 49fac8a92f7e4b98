from odoo import models


class ResDeviceLog(models.Model):
    _inherit = "res.device.log"

    def _update_device(self, request):
        """Odoo's note of the device, made before a request does anything else, stands
        on its own: otherwise the first click of a session would look like the midst of
        a transaction, and an invoice would be queued instead of sent."""
        result = super()._update_device(request)
        if self.env["account.move"]._can_commit():
            # pylint: disable=invalid-commit
            self.env.cr.commit()
        return result
