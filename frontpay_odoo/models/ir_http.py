from http import HTTPStatus

from werkzeug.exceptions import NotFound

from odoo import models
from odoo.http import request

PREFIX = "/frontpay/"  # of all our addresses


class IrHttp(models.AbstractModel):
    """Whatever is asked for below our addresses has an answer.

    Odoo looks an unknown path up among languages and attachments, and fails at a line
    feed or a zero byte in it; and at a parameter that is called ``self``.
    """

    _inherit = "ir.http"

    @classmethod
    def _match(cls, path_info):
        if path_info.startswith(PREFIX) and not path_info.isprintable():
            request.is_frontend = request.is_frontend_multilang = False
            raise NotFound
        return super()._match(path_info)

    @classmethod
    def _dispatch(cls, endpoint):
        if request.httprequest.path.startswith(PREFIX):
            # A query's parameters become a method's by name, and this one is taken.
            request.params.pop("self", None)
        return super()._dispatch(endpoint)

    @classmethod
    def _serve_fallback(cls):
        if request.httprequest.path.startswith(PREFIX):
            return request.make_response("", status=HTTPStatus.NOT_FOUND)
        return super()._serve_fallback()
