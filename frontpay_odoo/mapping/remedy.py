"""Where a setting is corrected, for whoever reads it: the way there for those who may
change it, else the name of an administrator to ask."""

from odoo import SUPERUSER_ID

from .problem import field_label

ADMINISTRATORS = "base.group_system"
ACCOUNTANTS = ("account.group_account_user", "account.group_account_manager")


def may_set_up(env):
    """Whether the reader may change the settings.

    :param env: of the one who reads it. A cron writes for somebody, whose id the
        context has as ``frontpay_reader``; without it, for anybody.
    """
    reader = env.context.get("frontpay_reader", env.uid)
    if reader == SUPERUSER_ID:
        return False
    return env["res.users"].browse(reader).has_group(ADMINISTRATORS)


def administrator_of(company):
    """An administrator who works in the company; its responsible if that is one.

    :return: one ``res.users``, or none
    """
    return _one_of(company, ADMINISTRATORS)


def _one_of(company, *groups):
    """Somebody of these groups who works in the company."""
    company = company.sudo()
    users = company.env["res.users"].union(
        *(company.env.ref(group).all_user_ids for group in groups)
    )
    users = users.filtered(
        lambda user: user.active and not user.share and company in user.company_ids
    )
    responsible = company.frontpay_responsible_id & users
    return responsible or users.sorted("id")[:1]


def administrator_name(company):
    """Whom to ask, for a sentence."""
    return administrator_of(company).name or company.env._("an administrator")


def accountant_name(company):
    """Whom to ask for what bookkeepers may not book, for a sentence."""
    return _one_of(company, *ACCOUNTANTS).name or company.env._("an accountant")


def settings_remedy(company, *names):
    """Say who corrects settings, and where.

    :param company: with the environment of the one who reads it
    :param str names: of the fields; without them, the sentence before names them
    :return: a sentence
    """
    env = company.env
    fields = env["res.company"]
    labels = (env._("“%s”", field_label(fields, name)) for name in names)
    settings = ", ".join(labels) or env._("this")
    if may_set_up(env):
        return env._(
            "Correct %s under Invoicing / Configuration / Settings / Front Payment.",
            settings,
        )
    return env._(
        "Ask %(administrator)s to correct %(settings)s in the Front Payment settings.",
        administrator=administrator_name(company),
        settings=settings,
    )
