from odoo import http
from odoo.exceptions import LockError
from odoo.http import request

from ..models.frontpay_customer_form import ASKED


class FrontPaymentCustomerForm(http.Controller):
    @http.route(
        "/frontpay/customer/<string:signed>",
        type="http",
        auth="public",
        methods=["GET", "POST"],
        website=True,
        multilang=False,
        sitemap=False,
    )
    def customer_form(self, signed, **typed):
        """Where a customer fills in what an invoice lacks.

        It shows nothing that is known already, whoever opens it.

        :return: a page in the customer's language, or 404
        """
        form = request.env["frontpay.customer.form"].sudo()._by_signature(signed)
        if not form:
            raise request.not_found()
        lang = form.partner_id.lang or request.env.lang
        request.update_context(lang=lang)
        form = form.with_context(lang=lang)
        # A visitor may send anything, files as well.
        typed = {
            name: text
            for name, text in typed.items()
            if name in ASKED and isinstance(text, str)
        }
        mistakes, is_busy = {}, False
        if request.httprequest.method == "POST":
            try:
                mistakes = form._receive_answer(typed)
            except LockError:
                is_busy = True
        status = form._form_status()
        names = list(form._asked()) if status == "open" else []
        response = request.render(
            "frontpay_odoo.customer_form",
            {
                "status": status,
                "is_busy": is_busy,
                "labels": form._labels(names),
                "mistakes": mistakes,
                # What is wrong may be corrected; a personal number is typed anew.
                "typed": {
                    name: typed.get(name, "")
                    for name in names
                    if name != "frontpay_personal_number"
                },
                "countries": request.env["res.country"].sudo().search([]),
                "invoice": form.move_id.name,
                "company": form.company_id,
                "res_company": form.company_id,  # the layout's logo
            },
        )
        response.headers["Cache-Control"] = "no-store"
        response.headers["Referrer-Policy"] = "no-referrer"
        return response
