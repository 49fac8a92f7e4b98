{
    "name": "Front Payment Go: Job Queue",
    "summary": "Send to Front Payment Go by jobs of OCA's queue_job",
    "version": "19.0.1.0.0",
    "category": "Accounting/Accounting",
    "license": "LGPL-3",
    "author": "frontpay_odoo contributors",
    "maintainers": ["frontpay_odoo"],
    "development_status": "Alpha",
    "depends": ["frontpay_odoo", "queue_job"],
    "data": ["data/queue_job_data.xml"],
    "auto_install": True,
    "uninstall_hook": "uninstall_hook",
}
