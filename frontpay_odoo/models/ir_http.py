from http import HTTPStatus

from odoo import models
from odoo.http import request


class IrHttp(models.AbstractModel):
    _inherit = "ir.http"

    @classmethod
    def _serve_fallback(cls):
        """Answer what is below our addresses, and none of them.

        Odoo would look the path up in the database, which fails at a zero byte.
        """
        if request.httprequest.path.startswith("/frontpay/"):
            return request.make_response("", status=HTTPStatus.NOT_FOUND)
        return super()._serve_fallback()
