import logging
import secrets
from datetime import timedelta
from http import HTTPStatus

from odoo import api, fields, models, modules

from ..connect import callback as fp_callback
from ..connect import callback_check
from ..connect.masking import Exchange
from ..mapping.invoice import public_url_problems
from ..tools import transaction
from ..tools.setup_checks import CHECKS, STATES, Finding
from .frontpay_order import TOKEN

_logger = logging.getLogger(__name__)

# So long an address waits for its test callback.
TEST_WINDOW = timedelta(minutes=1)
TEST_PATH = "frontpay/callback/test"
# Whoever has the set-up tested hears on it of the end, see static/src/live_setup.js.
SETUP_CHANNEL = "frontpay_odoo.setup"


class FrontpayCheck(models.Model):
    """One line of the set-up doctor: what is so now, and what to do.

    What a check finds is read anew each time, in the reader's language. Only what has
    to be tried is kept: what Front Payment answered, what became of a test callback.
    """

    _name = "frontpay.check"
    _description = "Front Payment: Set-up Check"
    _order = "sequence, id"
    _rec_name = "kind"

    company_id = fields.Many2one(
        "res.company", required=True, index=True, ondelete="cascade"
    )
    sequence = fields.Integer()
    kind = fields.Selection(
        [(name, check.label) for name, check in CHECKS.items()],
        string="Check",
        required=True,
    )
    state = fields.Selection(STATES, compute="_compute_finding")
    found = fields.Text(compute="_compute_finding")
    remedy = fields.Text(string="What to Do", compute="_compute_finding")
    can_open = fields.Boolean(compute="_compute_finding")
    tested_at = fields.Datetime(string="Tested")
    facts = fields.Json(help="What was found when it was tried.")
    requester_id = fields.Many2one(
        "res.users",
        string="Requested By",
        index="btree_not_null",
        help="Whoever waits for a test callback.",
    )
    callback_token = fields.Char(
        groups=fields.NO_ACCESS,
        index="btree_not_null",
        help="The end of the address at which a test callback is awaited.",
    )

    _unique_kind = models.Constraint("UNIQUE (company_id, kind)")

    @api.depends("tested_at", "facts", "requester_id")
    @api.depends_context("lang", "tz", "uid")
    def _compute_finding(self):
        for check in self:
            finding = check.sudo()._examine()
            check.state, check.found, check.remedy = finding
            has_records = CHECKS[check.kind].records
            check.can_open = bool(has_records) and finding.state in ("warning", "bad")

    def _examine(self):
        """What is so now. A check that fails itself breaks no other one.

        :rtype: Finding
        """
        try:
            with self.env.cr.savepoint(flush=False):
                return CHECKS[self.kind].examine(self)
        except Exception:
            _logger.exception("The check %s of the set-up failed", self.kind)
            return Finding(
                "warning",
                self.env._("This couldn't be checked."),
                self.env._("The server's log says why."),
            )

    @api.model
    def _of_company(self, company):
        """The company's checks, made where they are missing."""
        known = self.search([("company_id", "=", company.id)])
        missing = CHECKS.keys() - set(known.mapped("kind"))
        return known | self.create(
            [
                {"company_id": company.id, "kind": kind, "sequence": sequence}
                for sequence, kind in enumerate(CHECKS)
                if kind in missing
            ]
        )

    def _of_kind(self, kind):
        return self.filtered(lambda check: check.kind == kind)

    def _keep(self, **facts):
        self.write({"tested_at": fields.Datetime.now(), "facts": facts})

    def action_open_records(self):
        """Open what the check is about."""
        self.ensure_one()
        self.check_access("read")
        return CHECKS[self.kind].records(self.sudo())

    # === THE TEST CALLBACK === #

    def _request_callback(self):
        """Have a test callback sent by the cron: never from a request, which would
        keep the process that is to receive it."""
        self.write(
            {
                "requester_id": self.env.uid,
                "tested_at": fields.Datetime.now(),
                "facts": False,
            }
        )
        self.env["frontpay.order"]._trigger_cron("cron_test_callbacks")

    @api.model
    def _cron_test_callbacks(self):
        """Send the test callbacks that somebody waits for."""
        for check in self.search([("requester_id", "!=", False)]):
            check._test_callback()

    def _test_callback(self):
        secret = self.company_id.frontpay_callback_secret
        if not secret or public_url_problems(self.company_id):
            transaction.run(self.env, self.write, {"requester_id": False})
            return
        url = transaction.run(self.env, self._begin_test)
        version = modules.Manifest.for_addon("frontpay_odoo").version
        outcome = callback_check.call(url, secret, f"frontpay_odoo/{version}")
        transaction.run(self.env, self._end_test, *outcome)

    def _begin_test(self):
        """Await a test callback.

        :return: where
        """
        token = secrets.token_urlsafe(24)
        self.write({"callback_token": token, "tested_at": fields.Datetime.now()})
        return self.company_id._frontpay_callback_url(token)

    def _end_test(self, status, failure):
        """Keep what became of the test callback, and tell who waits for it."""
        requester = self.requester_id
        self._keep(status=status, failure=failure, arrived=self._has_arrived())
        self.write({"callback_token": False, "requester_id": False})
        requester.partner_id._bus_send(SETUP_CHANNEL, self.company_id.id)

    def _has_arrived(self):
        """Whether the test callback that was begun last is here."""
        arrived = self.env["frontpay.exchange"].search_count(
            [
                ("company_id", "=", self.company_id.id),
                ("direction", "=", "in"),
                ("path", "=", TEST_PATH),
                ("create_date", ">=", self.tested_at),
            ],
            limit=1,
        )
        return bool(arrived)

    @api.model
    def _receive_test(self, token, read_pairs):
        """Take a test callback, verified like any other one. It is only logged.

        :param str token: from the address, whatever somebody typed there
        :param read_pairs: called for the parameters, as (name, value) in the order
            received
        :return: the HTTP status to answer
        """
        if not TOKEN.fullmatch(token):
            return HTTPStatus.NOT_FOUND
        since = fields.Datetime.now() - TEST_WINDOW
        check = self.search(
            [("callback_token", "=", token), ("tested_at", ">", since)], limit=1
        )
        if not check:
            return HTTPStatus.NOT_FOUND
        try:
            callback = fp_callback.parse(read_pairs())
        except fp_callback.Malformed:
            return HTTPStatus.BAD_REQUEST
        secret = check.company_id.frontpay_callback_secret
        if not fp_callback.is_signed(callback.pairs, callback.checksum, secret):
            return HTTPStatus.FORBIDDEN
        if not check._has_arrived():
            exchange = Exchange("GET", TEST_PATH, http_status=HTTPStatus.OK)
            exchange.close()
            log = self.env["frontpay.exchange"]
            log._log(check.company_id, [exchange], direction="in")
        return HTTPStatus.OK
