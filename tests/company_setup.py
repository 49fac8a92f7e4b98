# ruff: noqa: F821, T201
"""Fed to ``odoo shell``: a company in Norway that uses Front Payment, its people and
its customers. Prints the ids that the tests need as one line of JSON.

Nobody in here exists: the personal number is synthetic (80 added to the month), the
organisation number from the range of the test registers.
"""

import json

NORWAY = env.ref("base.no")
env["res.lang"]._activate_lang("nb_NO")
env["ir.module.module"]._get("frontpay_odoo")._update_translations(["nb_NO"])

company = env.company
env["account.chart.template"].try_loading("no", company, install_demo=False)
company.write(
    {
        "name": "Lysbrygga Eksempel AS",
        "street": "Eksempelkaia 1",
        "zip": "5003",
        "city": "Bergen",
        "country_id": NORWAY.id,
        "email": "post@lysbrygga.example.com",
        "phone": "+47 406 12 345",
        "company_registry": "310000019",
        "frontpay_environment": "custom",
        "frontpay_email_link": False,  # nobody takes the mails but where tests do
        "iap_enrich_auto_done": True,  # or the web client asks a server far away
    }
)
company.action_frontpay_create_journal()


def user(login, name, *groups):
    return env["res.users"].create(
        {
            "login": login,
            "password": login,
            "name": name,
            "email": f"{login}@lysbrygga.example.com",
            "group_ids": [(6, 0, [env.ref(group).id for group in groups])],
        }
    )


bookkeeping = ("account.group_account_invoice", "base.group_partner_manager")
user("bookkeeper", "Berit Bokholder", *bookkeeping)
user("colleague", "Kåre Kollega", *bookkeeping)
user("accountant", "Anders Avstemmer", "account.group_account_user")


def customer(name, **values):
    return env["res.partner"].create(
        {
            "name": name,
            "street": "Fantasigata 144",
            "zip": "7030",
            "city": "Trondheim",
            "country_id": NORWAY.id,
            "phone": "+47 406 12 345",
            "email": "kunde@example.com",
            **values,
        }
    )


private = customer(
    "Kari Demokunde", lang="nb_NO", frontpay_personal_number="17858410193"
)
corporate = customer(
    "Nordfjord Demobedrift AS", is_company=True, company_registry="313131319"
)
tax = env["account.tax"].search(
    [
        ("company_id", "=", company.id),
        ("type_tax_use", "=", "sale"),
        ("amount", "=", 25),
        ("price_include", "=", False),
    ],
    limit=1,
)
# Else each server makes them at its first page, while a browser waits.
env["ir.qweb"]._pregenerate_assets_bundles()
env.cr.commit()
print(
    json.dumps(
        {
            "company": company.id,
            "journal": company.frontpay_journal_id.id,
            "norway": NORWAY.id,
            "private": private.id,
            "corporate": corporate.id,
            "tax": tax.id,
        }
    )
)
