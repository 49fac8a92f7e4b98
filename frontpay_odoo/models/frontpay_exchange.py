import logging
from dataclasses import asdict
from datetime import timedelta

from psycopg2 import DataError

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL
from odoo.tools.constants import GC_UNLINK_LIMIT

from ..tools import transaction
from ..tools.explanation import explanation, is_good_test

_logger = logging.getLogger(__name__)

KEPT_CALLBACKS = 50  # of an order in an hour; those that tell something new always


class FrontpayExchange(models.Model):
    _name = "frontpay.exchange"
    _description = "Front Payment API Call"
    _order = "id desc"
    _rec_name = "path"

    order_id = fields.Many2one(
        "frontpay.order", index="btree_not_null", ondelete="restrict"
    )
    move_id = fields.Many2one(related="order_id.move_id", string="Invoice")
    company_id = fields.Many2one("res.company", required=True, ondelete="restrict")
    direction = fields.Selection(
        [("out", "To Front Payment"), ("in", "Callback from Front Payment")],
        required=True,
    )
    method = fields.Char()
    path = fields.Char()
    request = fields.Text(help="What was sent, without secrets and personal numbers.")
    http_status = fields.Integer(string="HTTP Status")
    answer = fields.Text(string="Response")
    error = fields.Char()
    duration = fields.Integer(string="Duration (ms)")
    explanation = fields.Char(
        string="What Happened",
        compute="_compute_explanation",
        help="What the call was for, and what came of it.",
    )

    is_fine = fields.Boolean(
        compute="_compute_explanation",
        help="An error that shows that Front Payment answers.",
    )

    _age_index = models.Index("(company_id, create_date)")

    @api.depends("direction", "path", "request", "http_status", "answer", "error")
    @api.depends_context("lang")
    def _compute_explanation(self):
        for exchange in self:
            exchange.explanation = explanation(exchange)
            exchange.is_fine = is_good_test(exchange)

    def write(self, vals):
        if vals:
            raise UserError(self.env._("The API log can't be changed."))
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self.env._("The API log can't be deleted."))

    @api.autovacuum
    def _gc_old(self):
        """Delete what is older than its company keeps it. The orders stay.

        :return: (how many were deleted, whether there are more)
        """
        deleted = 0
        companies = self.env["res.company"].sudo()
        for company in companies.search([("frontpay_log_days", ">", 0)]):
            days = timedelta(days=company.frontpay_log_days)
            deleted += self._delete_before(company, fields.Datetime.now() - days)
        return deleted, deleted >= GC_UNLINK_LIMIT

    @api.model
    def _delete_before(self, company, moment):
        """Delete a company's oldest calls; in SQL, as nobody can delete any."""
        deleted = self.env.execute_query(
            SQL(
                """
                DELETE FROM frontpay_exchange
                 WHERE id IN (SELECT id FROM frontpay_exchange
                               WHERE company_id = %s AND create_date < %s
                               ORDER BY create_date LIMIT %s)
                RETURNING id
                """,
                company.id,
                moment,
                GC_UNLINK_LIMIT,
            )
        )
        self.invalidate_model()
        return len(deleted)

    @api.model
    def _log(self, company, exchanges, order=None, direction="out"):
        """Keep what was exchanged with Front Payment.

        :param company: whose keys were used
        :param exchanges: list of :class:`connect.masking.Exchange`, masked already
        :param order: the ``frontpay.order`` it was about, if any
        """
        values = [
            {
                "order_id": order.id if order else False,
                "company_id": company.id,
                "direction": direction,
                **asdict(exchange),
            }
            for exchange in exchanges
        ]
        try:
            with self.env.cr.savepoint():
                self.sudo().create(values)
        except (ValueError, DataError):
            # What became of an order counts, whatever can't be logged.
            _logger.exception("An exchange with Front Payment couldn't be logged")

    @api.model
    def _save(self, company, client, order=None, record=None, *arguments):
        """Keep what was exchanged and what follows from it, at once.

        :param connect.client.Client client: its exchanges are stored and emptied
        :param order: the ``frontpay.order`` it was about, if any
        :param record: writes the outcome, if there is one; called with the arguments
        :return: what it returns
        """

        def outcome():
            self._log(company, client.exchanges, order)
            return record and record(*arguments)

        result = transaction.run(self.env, outcome)
        client.exchanges.clear()
        return result

    @api.model
    def _has_room_for_callback(self, order):
        """Whether one more callback that tells nothing new may be kept.

        Anybody who knows an order's address can send any number of them.
        """
        since = fields.Datetime.now() - timedelta(hours=1)
        kept = self.sudo().search_count(
            [
                ("order_id", "=", order.id),
                ("direction", "=", "in"),
                ("create_date", ">", since),
            ],
            limit=KEPT_CALLBACKS,
        )
        return kept < KEPT_CALLBACKS
