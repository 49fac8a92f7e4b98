import json
import logging
from http import HTTPStatus

from odoo import http
from odoo.http import request

from ..connect import callback as fp_callback
from ..connect.masking import Exchange, masked_text

_logger = logging.getLogger(__name__)


class FrontPaymentCallback(http.Controller):
    @http.route(
        "/frontpay/callback/<string:token>",
        type="http",
        auth="public",
        methods=["GET", "POST"],
        csrf=False,
        save_session=False,
    )
    def callback(self, token, **_parameters):
        """Take a callback (section 17). It only wakes polling.

        Nothing here calls the outside or changes a row.

        :return: 200 accepted or seen before, 400 malformed, 403 not signed, 404 unknown
        """
        order = request.env["frontpay.order"].sudo()._by_token(token)
        if not order:
            checks = request.env["frontpay.check"].sudo()
            status = checks._receive_test(token, _received_pairs)
            if status == HTTPStatus.NOT_FOUND:
                _logger.info("Callback for an unknown order")
            return _answer(status)
        exchange, news = Exchange(request.httprequest.method, "frontpay/callback"), None
        try:
            callback = fp_callback.parse(_received_pairs())
        except fp_callback.Malformed as malformed:
            status, exchange.error = HTTPStatus.BAD_REQUEST, str(malformed)
        else:
            inbox = order.env["frontpay.callback"]
            status, exchange.error, news = inbox._receive(order, callback)
            exchange.request = _readable(callback)
        exchange.http_status = status
        exchange.close()
        log = order.env["frontpay.exchange"]
        if news or log._has_room_for_callback(order):
            log._log(order.company_id, [exchange], order, "in")
        return _answer(status)


def _received_pairs():
    """The parameters in the order received: the query's, else the body's."""
    http_request = request.httprequest
    if http_request.query_string or http_request.method == "GET":
        return fp_callback.parse_pairs(http_request.query_string)
    if (http_request.content_length or 0) > fp_callback.MAX_LENGTH:
        raise fp_callback.Malformed("too long")
    if http_request.mimetype == "application/json":
        return fp_callback.parse_json(http_request.get_data())
    return list(http_request.form.items(multi=True))


def _readable(callback):
    lines = (f"{name}: {value}" for name, value in callback.pairs if name != "checksum")
    return masked_text("\n".join(lines))


def _answer(status):
    """A constant body: nothing of the request is echoed."""
    return request.make_response(
        json.dumps({"status": status.phrase}),
        headers=[("Content-Type", "application/json"), ("Cache-Control", "no-store")],
        status=status,
    )
