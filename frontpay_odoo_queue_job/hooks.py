from odoo.addons.queue_job.job import DONE

MODELS = ("frontpay.order", "frontpay.refund")


def uninstall_hook(env):
    """What waits is sent by the scheduled actions again. A job whose method is gone
    would fail over and over."""
    jobs = env["queue.job"].search(
        [
            ("model_name", "in", MODELS),
            ("method_name", "=like", "_job_%"),
            ("state", "!=", DONE),
        ]
    )
    jobs.unlink()
