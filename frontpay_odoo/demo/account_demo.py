"""The invoices of the demo company.

They need a chart of accounts, so they can't be plain records: ``l10n_no`` isn't a
dependency, and may be installed before this addon, after it or never.
"""

from dateutil.relativedelta import relativedelta

from odoo import Command, api, fields, models

DEMO_COMPANY = "base.demo_company_frontpay"
LONG_TEXT = """Fiber connection for the cabin, ordered by telephone
Includes digging, ducts and splicing up to the outer wall
Excludes repair of lawn and flower beds
Opening hours of our customer centre: Monday to Friday, 8 to 16"""

# Customer, days until due, and lines: text, quantity, price, VAT, discount in percent.
# VAT "25 included" is a tax of 25 percent that is part of the price.
INVOICES = (
    ("demo_kari", 14, [("Router", 1, 40.00, "0", 0)]),
    (
        "demo_kari",
        14,
        [
            ("Installation", 1, 1200.00, "25", 0),
            ("Lunch for the installers", 2, 149.00, "15", 0),
            ("Bus tickets", 3, 42.00, "12", 0),
        ],
    ),
    ("demo_ola", 21, [("Support", 2.5, 933.33, "25", 0)]),
    ("demo_ola", 30, [("Subscription, per month", 12, 499.00, "25", 15)]),
    ("demo_ola", 10, [("Telephone", 1, 2490.00, "25 included", 0)]),
    ("demo_astrid", 14, [(LONG_TEXT, 1, 12500.00, "25", 0)]),
    (
        "demo_nordfjord",
        30,
        [
            ("Fiber connection, per month", 1, 1790.00, "25", 0),
            ("Static IP addresses", 8, 59.90, "25", 0),
        ],
    ),
    ("demo_exempel", 30, [("Hosting", 1, 3200.00, "25", 0)]),
)


class AccountChartTemplate(models.AbstractModel):
    _inherit = "account.chart.template"

    def _post_load_demo_data(self, company=False):
        """Follow the Norwegian chart's own demo data, when that comes after ours."""
        result = super()._post_load_demo_data(company)
        if company.chart_template == "no":
            self._frontpay_load_demo()
        return result

    @api.model
    def _frontpay_load_demo(self):
        """Give the demo company a chart of accounts, a journal and its invoices.

        The chart is Norway's, or Odoo's generic one where ``l10n_no`` isn't installed.
        """
        company = self.env.ref(DEMO_COMPANY, raise_if_not_found=False)
        if not company or company.chart_template:
            return
        template = self._frontpay_demo_template()
        if not template:
            return
        self._load(template, company, install_demo=False)
        company.currency_id = self.env.ref("base.NOK")  # the generic chart takes USD
        company.action_frontpay_create_journal()
        self.with_context(
            default_company_id=company.id, allowed_company_ids=company.ids
        )._frontpay_demo_invoices()

    def _frontpay_demo_template(self):
        """Return the chart to use, or None if Norway's is still on its way."""
        if "no" in self._template_register:
            return "no"
        l10n_no = self.env["ir.module.module"]._get("l10n_no")
        return None if l10n_no.state == "to install" else "generic_coa"

    def _frontpay_demo_invoices(self):
        today = fields.Date.context_today(self)
        seller = self.env.ref("base.user_demo_frontpay")
        invoices = self.env["account.move"].create(
            [
                {
                    "move_type": "out_invoice",
                    "partner_id": self.env.ref(f"frontpay_odoo.{customer}").id,
                    "invoice_user_id": seller.id,
                    "invoice_date": today,
                    "invoice_date_due": today + relativedelta(days=days),
                    "invoice_line_ids": [
                        Command.create(self._frontpay_demo_line(*line))
                        for line in lines
                    ],
                }
                for customer, days, lines in INVOICES
            ]
        )
        invoices.action_post()

    def _frontpay_demo_line(self, text, quantity, price, vat, discount):
        router = self.env.ref("frontpay_odoo.demo_router")
        return {
            "name": text,
            "product_id": router.id if text == router.name else False,
            "quantity": quantity,
            "price_unit": price,
            "discount": discount,
            "tax_ids": [Command.set(self._frontpay_demo_tax(vat).ids)],
        }

    def _frontpay_demo_tax(self, vat):
        """Return the company's sales tax of that rate, made if it has none."""
        rate, _space, included = vat.partition(" ")
        tax = self._frontpay_find_tax(rate) or self.env["account.tax"].create(
            {
                "name": f"{rate}%",
                "type_tax_use": "sale",
                "amount": int(rate),
                "company_id": self.env.company.id,
            }
        )
        if not included:
            return tax
        # A copy, so that it stands with the others of its rate in the totals.
        return tax.copy(
            {"name": f"{rate}% included", "price_include_override": "tax_included"}
        )

    def _frontpay_find_tax(self, rate):
        Tax = self.env["account.tax"]
        return Tax.search(
            [
                *Tax._check_company_domain(self.env.company),
                ("type_tax_use", "=", "sale"),
                ("amount_type", "=", "percent"),
                ("amount", "=", int(rate)),
                ("country_id", "=", self.env.company.account_fiscal_country_id.id),
                ("price_include_override", "=", False),
            ],
            limit=1,
        )
