"""One accounting set-up for all classes of Odoo's tests in a process.

Odoo's own gives each class a new company with a chart of accounts, users and products,
which takes seconds and is the same for all of ours. ``./dev test`` throws the database
of each process away, so the first set-up is committed there, and each class begins with
its records. Odoo's own test runner knows nothing of this and sets each class up anew.
"""

from odoo.models import BaseModel
from odoo.sql_db import Cursor

from odoo.addons.account.tests.common import AccountTestInvoicingCommon
from odoo.addons.base.tests.common import BaseCommon


def share() -> None:
    """From now on, classes that want the same country and chart share a set-up."""
    set_up = AccountTestInvoicingCommon.setUpClass.__func__
    shared = {}

    def set_up_shared(cls):
        wanted = (cls.country_code, cls.chart_template)
        if wanted not in shared:
            shared[wanted] = _committed(set_up, *wanted)
        super(BaseCommon, cls).setUpClass()
        env, attributes = shared[wanted]
        cls.env = env(cr=cls.cr)
        for name, value in attributes.items():
            setattr(cls, name, _read_by(value, cls.cr))

    AccountTestInvoicingCommon.setUpClass = classmethod(set_up_shared)


def _committed(set_up, country_code, chart_template) -> tuple:
    """Set a class without tests up, and keep its records in the database.

    :return: its environment, and its other attributes
    """

    class Model(AccountTestInvoicingCommon):
        pass

    Model.country_code, Model.chart_template = country_code, chart_template
    set_up(Model)
    Cursor.commit(Model.cr)  # a test's own refuses
    env = Model.env
    attributes = {
        name: value
        for name, value in vars(Model).items()
        if isinstance(value, BaseModel) or name in ("company_data", "tax_number")
    }
    Model.doClassCleanups()
    return env, attributes


def _read_by(value, cr):
    """Records, or a dict of them, in another transaction."""
    if isinstance(value, dict):
        return {name: _read_by(each, cr) for name, each in value.items()}
    if isinstance(value, BaseModel):
        return value.with_env(value.env(cr=cr))
    return value
