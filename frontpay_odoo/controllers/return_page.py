from odoo import http
from odoo.http import request


class FrontPaymentReturn(http.Controller):
    @http.route(
        "/frontpay/return/<string:token>/<any(success,failure):outcome>",
        type="http",
        auth="public",
        methods=["GET"],
        save_session=False,
        website=True,
        multilang=False,
        sitemap=False,
    )
    def return_page(self, token, outcome, **_parameters):
        """Where the customer's browser comes back to. It tells what the order's state
        says, and at most wakes polling: anybody who has the address can open it
        (section 24, question 23).

        :return: a page in the customer's language, or 404
        """
        order = request.env["frontpay.order"].sudo()._by_token(token)
        if not order:
            raise request.not_found()
        move = order.move_id
        request.update_context(lang=move.partner_id.lang or request.env.lang)
        order = order.with_env(request.env(su=True))
        if outcome == "success":
            order.env["frontpay.callback"]._receive_customer(order)
        page = request.render(
            "frontpay_odoo.return_page",
            {
                "succeeded": outcome == "success",
                "order": order,
                "company": order.company_id,
                "res_company": order.company_id,  # the layout's logo
            },
        )
        page.headers["Cache-Control"] = "no-store"  # it may hold the customer's link
        return page
