"""The set-up doctor's checks: what each one looks at, and what it says.

A check reads what is there and tries nothing: what has to be tried is kept on its
``frontpay.check``. None shows a secret, or the name of another database.
"""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import NamedTuple
from urllib.parse import urlsplit

from odoo import fields, http
from odoo.service.db import list_dbs
from odoo.tools import config
from odoo.tools.translate import LazyTranslate

from ..connect import errors
from ..connect.callback_check import BAD_CERTIFICATE
from ..mapping.invoice import journal_problems, public_url_problems
from ..mapping.problem import localized
from . import credit_control, error_messages
from .local_time import local_time

_lt = LazyTranslate(__name__)

STATES = [
    ("good", "Good"),
    ("waiting", "Not Tested"),
    ("warning", "Look at It"),
    ("bad", "To Correct"),
]
# A scheduled action that is later than this isn't run by anybody.
LATE_AFTER = timedelta(minutes=15)
# Seconds by which this server's clock may be wrong.
CLOCK_TOLERANCE = 60
NAMED = 5  # taxes in a sentence
CERTIFICATE_WRONG = _lt("The certificate at %s isn't valid.")
# What else than Odoo's own callback page answers, by HTTP status.
ANSWERS = {
    303: _lt("Odoo at %s doesn't know which of its databases is meant."),
    404: _lt("Something else than this database answers at %s."),
    403: _lt("At %s, what comes in is changed on its way."),
    502: _lt("A proxy answers at %s, but doesn't reach Odoo."),
    503: _lt("A proxy answers at %s, but doesn't reach Odoo."),
    504: _lt("A proxy answers at %s, but doesn't reach Odoo."),
}
OTHER_ANSWER = _lt("Something else than this database answers at %s.")
NO_ANSWER = _lt("Nobody answers at %s.")


class Finding(NamedTuple):
    """What a check says: its state, what was found, what to do."""

    state: str
    found: str
    remedy: str = ""


class Check(NamedTuple):
    """A check.

    :param label: in the list
    :param examine: called with the ``frontpay.check``; returns a :class:`Finding`
    :param records: called with it too; returns the action that opens what it is about
    """

    label: str
    examine: Callable
    records: Callable | None = None


# === FRONT PAYMENT === #


def _token(check):
    env, company = check.env, check.company_id
    if not company.frontpay_api_token:
        return Finding(
            "bad", env._("No token is entered."), env._("Enter it under Keys.")
        )
    if company._frontpay_is_copy():
        return Finding("bad", company._frontpay_copy_message())
    if not check.tested_at:
        return _untested(env)
    failure = check.facts.get("error")
    if failure:
        error = getattr(errors, failure)("")
        return Finding("bad", error_messages.connection_message(company, error))
    return Finding(
        "good",
        env._(
            "Front Payment accepted it at %s.",
            local_time(env, check.tested_at),
        ),
    )


def _secret(check):
    env = check.env
    if not check.company_id.frontpay_callback_secret:
        return Finding(
            "bad",
            env._("No callback secret is entered."),
            env._("Enter it under Keys: without it, every callback is refused."),
        )
    last = env["frontpay.exchange"].search(
        [
            ("company_id", "=", check.company_id.id),
            ("direction", "=", "in"),
            ("order_id", "!=", False),
            ("http_status", "in", (200, 403)),
        ],
        limit=1,
    )
    if last.http_status == 403:
        return Finding(
            "warning",
            env._("The last callback was signed with another secret."),
            env._("Compare it with the one that Front Payment issued."),
        )
    return Finding("good", env._("It is entered."))


def _clock(check):
    env = check.env
    ahead = (check.facts or {}).get("ahead")
    if ahead is None:
        return _untested(env)
    if abs(ahead) <= CLOCK_TOLERANCE:
        return Finding("good", env._("It is as Front Payment's."))
    return Finding(
        "warning",
        env._("It differs from Front Payment's by %s seconds.", abs(ahead)),
        env._("Have the server set its clock by the network (NTP)."),
    )


# === THE WAY TO ODOO === #


def _address(check):
    env, company = check.env, check.company_id
    problems = public_url_problems(company)
    if problems:
        return Finding(
            "bad", problems[0].message, env._("Enter another address under Address.")
        )
    return Finding("good", company._frontpay_public_url())


def _database(check):
    env = check.env
    host = urlsplit(check.company_id._frontpay_public_url()).hostname or ""
    served = http.db_filter(list_dbs(force=True), host)
    if served == [env.cr.dbname]:
        return Finding("good", env._("Only this database answers at %s.", host))
    remedy = env._("Set dbfilter in Odoo's configuration so that it leads to this one.")
    if env.cr.dbname not in served:
        return Finding("bad", env._("This database isn't served at %s.", host), remedy)
    found = env._(
        "%(count)s databases are served at %(host)s: a callback doesn't say which one.",
        count=len(served),
        host=host,
    )
    return Finding("bad", found, remedy)


def _proxy(check):
    env = check.env
    is_behind_proxy = check.company_id._frontpay_public_url().startswith("https://")
    if is_behind_proxy and not config["proxy_mode"]:
        return Finding(
            "warning",
            env._("Odoo is called by https, but doesn't know of the proxy before it."),
            env._("Set proxy_mode = True in Odoo's configuration."),
        )
    return Finding("good", env._("Odoo knows how it is called."))


def _callback(check):
    env, facts = check.env, check.facts or {}
    if not check.company_id.frontpay_callback_secret:
        return Finding(
            "waiting",
            env._("Not tested: no callback secret is entered."),
            env._("Enter it under Keys."),
        )
    if check.requester_id:
        return _being_tested(check)
    if "arrived" not in facts:
        return _untested(env)
    if facts["arrived"]:
        return Finding(
            "good",
            env._("A test callback came in at %s.", local_time(env, check.tested_at)),
        )
    host = urlsplit(check.company_id._frontpay_public_url()).netloc
    return Finding(
        "bad",
        localized(env, _failed_callback(facts)) % host,
        env._("Let /frontpay/ through to this Odoo, without a login of its own."),
    )


def _failed_callback(facts):
    if facts["status"]:
        return ANSWERS.get(facts["status"], OTHER_ANSWER)
    is_certificate = facts["failure"] == BAD_CERTIFICATE
    return CERTIFICATE_WRONG if is_certificate else NO_ANSWER


def _being_tested(check):
    env = check.env
    if check.tested_at > fields.Datetime.now() - timedelta(minutes=2):
        return Finding("waiting", env._("It is just being tested."))
    return Finding(
        "bad",
        env._("The test hasn't begun: Odoo's scheduler doesn't run."),
        env._("See Scheduled actions."),
    )


# === ODOO === #


def _crons(env):
    own = env["ir.model.data"].search(
        [("module", "=", "frontpay_odoo"), ("model", "=", "ir.cron")]
    )
    crons = env["ir.cron"].with_context(active_test=False)
    return crons.browse(own.mapped("res_id")).exists()


def _scheduler(check):
    env = check.env
    crons = _crons(env)
    stopped = crons.filtered(lambda cron: not cron.active)
    if stopped:
        return Finding(
            "bad",
            env._("Switched off: %s", ", ".join(stopped.mapped("name"))),
            env._("Switch it on."),
        )
    late = crons.filtered(
        lambda cron: cron.nextcall < fields.Datetime.now() - LATE_AFTER
    )
    if not late:
        return Finding("good", env._("All run when they are due."))
    if config["max_cron_threads"]:
        remedy = env._("Restart Odoo; its log says why they don't run.")
    else:
        remedy = env._("Set max_cron_threads in Odoo's configuration to 1 or more.")
    since = local_time(env, min(late.mapped("nextcall")))
    return Finding("bad", env._("Nothing ran since %s.", since), remedy)


def _journal(check):
    env, company = check.env, check.company_id
    journal = company.frontpay_journal_id
    if not journal:
        return Finding(
            "bad", env._("No journal is chosen."), env._("Create one under Journal.")
        )
    problems = journal_problems(company)
    if problems:
        return Finding("bad", problems[0].message)
    return Finding("good", journal.display_name)


def _other_taxes(check):
    """Sale taxes that Front Payment doesn't take."""
    company = check.company_id
    taxes = check.env["account.tax"].search(
        [
            *check.env["account.tax"]._check_company_domain(company),
            ("type_tax_use", "=", "sale"),
            ("amount_type", "=", "percent"),
        ]
    )
    rates = company._frontpay_tax_rates()
    return taxes.filtered(lambda tax: Decimal(str(tax.amount)) not in rates)


def _taxes(check):
    env = check.env
    others = _other_taxes(check)
    if not others:
        return Finding("good", env._("Front Payment takes all taxes on sales."))
    names = ", ".join(others[:NAMED].mapped("name"))
    if len(others) > NAMED:
        names = env._(
            "%(names)s and %(count)s more", names=names, count=len(others) - NAMED
        )
    return Finding(
        "warning",
        env._("Invoices with these taxes aren't sent: %s", names),
        env._("If you use them, add the rates of your agreement in the settings."),
    )


def _reminders(check):
    env = check.env
    if not credit_control.is_installed(env) or credit_control.policy_of_doing_nothing(
        check.company_id
    ):
        return Finding(
            "good", env._("Odoo reminds of nothing that Front Payment collects.")
        )
    return Finding(
        "warning",
        env._("Credit Control reminds of what Front Payment collects as well."),
        env._("Add a credit control policy that does nothing."),
    )


def _mail(check):
    env = check.env
    if not check.company_id.frontpay_email_link:
        return Finding("good", env._("Not needed: the link isn't e-mailed."))
    has_server = env["ir.mail_server"].search_count([], limit=1)
    if has_server or config["smtp_server"] not in (False, "", "localhost"):
        return Finding("good", env._("Odoo has a server for outgoing mail."))
    return Finding(
        "warning",
        env._("Odoo has no server for outgoing mail: customers get no link."),
        env._("Add one, or don't have the link e-mailed."),
    )


def _untested(env):
    return Finding(
        "waiting", env._("Not tested yet."), env._("Click Check Everything.")
    )


def _window(name, model, domain):
    """What opens a list of records."""

    def records(check):
        return {
            "type": "ir.actions.act_window",
            "name": localized(check.env, name),
            "res_model": model,
            "views": [(False, "list"), (False, "form")],
            "domain": domain(check),
            "context": {"active_test": False},
        }

    return records


# By their names, in the order in which they are told.
CHECKS = {
    "token": Check("API token", _token),
    "secret": Check("Callback secret", _secret),
    "journal": Check("Payment journal", _journal),
    "address": Check("Address", _address),
    "database": Check("Database", _database),
    "proxy": Check("Proxy", _proxy),
    "callback": Check(
        "Callback",
        _callback,
        _window(
            _lt("API Log"),
            "frontpay.exchange",
            lambda check: [("company_id", "=", check.company_id.id)],
        ),
    ),
    "scheduler": Check(
        "Scheduled actions",
        _scheduler,
        _window(
            _lt("Scheduled Actions"),
            "ir.cron",
            lambda check: [("id", "in", _crons(check.env).ids)],
        ),
    ),
    "clock": Check("Clock", _clock),
    "taxes": Check(
        "VAT rates",
        _taxes,
        _window(
            _lt("Taxes"),
            "account.tax",
            lambda check: [("id", "in", _other_taxes(check).ids)],
        ),
    ),
    "reminders": Check("Reminders", _reminders),
    "mail": Check(
        "Outgoing mail",
        _mail,
        _window(_lt("Outgoing Mail Servers"), "ir.mail_server", lambda _check: []),
    ),
}
