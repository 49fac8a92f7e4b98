from ast import literal_eval
from datetime import timedelta

from lxml import etree

from odoo import fields
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.frontpay_odoo.connect.masking import Exchange

from .common import FrontpayCommon

LOGGER = "odoo.addons.frontpay_odoo.models.frontpay_exchange"


@tagged("post_install", "-at_install", "frontpay")
class TestExchange(FrontpayCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.log = cls.env["frontpay.exchange"].sudo()
        cls.other_company = cls.env["res.company"].create({"name": "Lysglimt Test"})

    def logged(self, company, days):
        """A call of that many days ago."""
        self.log._log(company, [Exchange("GET", f"{days} days")])
        call = self.log.search([], limit=1)
        self.env.cr.execute(
            "UPDATE frontpay_exchange SET create_date = %s WHERE id = %s",
            [fields.Datetime.now() - timedelta(days=days, minutes=1), call.id],
        )
        call.invalidate_recordset()
        return call

    def test_the_log_is_kept_as_long_as_its_company_wants(self):
        self.company.frontpay_log_days = 30
        self.other_company.frontpay_log_days = 0
        old, fresh = self.logged(self.company, 30), self.logged(self.company, 29)
        others = self.logged(self.other_company, 3000)
        self.assertEqual(self.log._gc_old(), (1, False))
        self.assertFalse(old.exists())
        self.assertEqual((fresh + others).exists(), fresh + others)

    def test_the_order_stays(self):
        move = self.invoice()
        order = self.env["frontpay.order"].sudo()._create_queued(move)
        call = self.logged(self.company, 500)
        self.env.cr.execute(
            "UPDATE frontpay_exchange SET order_id = %s WHERE id = %s",
            [order.id, call.id],
        )
        self.log._gc_old()
        self.assertFalse(call.exists())
        self.assertTrue(order.exists())

    def test_what_cannot_be_stored_takes_nothing_with_it(self):
        for details in ({"answer": "\0"}, {"duration": 2**40}):
            with self.subTest(**details), mute_logger("odoo.sql_db", LOGGER):
                self.log._log(self.company, [Exchange("GET", "strange", **details)])
            self.assertFalse(self.log.search_count([("path", "=", "strange")]))

    def test_its_filters_find_what_they_name(self):
        made = [Exchange("GET", "good"), Exchange("GET", "bad", error="HTTP 500")]
        self.log._log(self.company, made)
        self.log._log(self.company, [Exchange("POST", "callback")], direction="in")
        own = Domain("company_id", "=", self.company.id)
        arch = etree.fromstring(self.log.get_view(view_type="search")["arch"])
        for name, paths in {
            "failed": {"bad"},
            "out": {"good", "bad"},
            "callbacks": {"callback"},
        }.items():
            [shown] = arch.iterfind(f".//filter[@name='{name}']")
            with self.subTest(name):
                found = self.log.search(own & Domain(literal_eval(shown.get("domain"))))
                self.assertEqual(set(found.mapped("path")), paths)

    def test_nobody_else_deletes_from_it(self):
        self.company.frontpay_log_days = 1
        with self.assertRaises(UserError):
            self.logged(self.company, 10).unlink()

    def test_a_negative_number_of_days_is_refused(self):
        with self.assertRaises(ValidationError):
            self.company.frontpay_log_days = -1
