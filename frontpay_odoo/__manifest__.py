{
    "name": "Front Payment Go",
    "summary": "Hand customer invoices to Front Payment Go and follow them until paid",
    "version": "19.0.1.0.0",
    "category": "Accounting/Accounting",
    "license": "LGPL-3",
    "author": "frontpay_odoo contributors",
    "depends": ["account"],
    "external_dependencies": {
        "python": ["phonenumbers", "pycountry", "requests", "python-stdnum"],
    },
    "data": [
        "security/ir.model.access.csv",
        "security/frontpay_security.xml",
        "views/frontpay_exchange_views.xml",
        "views/frontpay_order_views.xml",
        "views/account_move_views.xml",
        "views/return_templates.xml",
        "views/res_partner_views.xml",
        "views/res_config_settings_views.xml",
    ],
    "demo": ["demo/frontpay_demo.xml"],
}
