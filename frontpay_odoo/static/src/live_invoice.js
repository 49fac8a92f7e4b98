import { Component, useEffect } from "@odoo/owl";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";

const CHANNEL = "frontpay_odoo.invoice"; // INVOICE_CHANNEL of models/frontpay_handover.py

/** Reads an open invoice, credit note, order or refund anew when it has changed, unless it is being edited. */
export class LiveInvoice extends Component {
    static template = "frontpay_odoo.LiveInvoice";
    static props = { ...standardWidgetProps };

    setup() {
        this.bus = useService("bus_service");
        useEffect(
            (invoice) => {
                if (!invoice) {
                    return;
                }
                const channel = `${CHANNEL}:${invoice}`;
                const listener = (changed) => this.reload(changed);
                this.bus.addChannel(channel);
                this.bus.subscribe(CHANNEL, listener);
                return () => {
                    this.bus.unsubscribe(CHANNEL, listener);
                    this.bus.deleteChannel(channel);
                };
            },
            () => [this.invoice],
        );
    }

    /** Of an invoice's or a credit note's form, or of its order's or refund's. */
    get invoice() {
        const { record } = this.props;
        return record.data.move_id?.id || record.resId;
    }

    async reload(changed) {
        const { record } = this.props;
        if (this.invoice === changed && !(await record.isDirty())) {
            await record.model.load();
        }
    }
}

registry.category("view_widgets").add("frontpay_live_invoice", {
    component: LiveInvoice,
});
