import { Component, useEffect } from "@odoo/owl";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";

const CHANNEL = "frontpay_odoo.setup"; // SETUP_CHANNEL of models/frontpay_check.py

/** Reads the set-up anew when its test callback is over, unless it is being edited. */
export class LiveSetup extends Component {
    static template = "frontpay_odoo.LiveInvoice";
    static props = { ...standardWidgetProps };

    setup() {
        this.bus = useService("bus_service");
        useEffect(
            () => {
                const listener = (company) => this.reload(company);
                this.bus.subscribe(CHANNEL, listener);
                return () => this.bus.unsubscribe(CHANNEL, listener);
            },
            () => [],
        );
    }

    async reload(company) {
        const { record } = this.props;
        if (record.data.company_id.id === company && !(await record.isDirty())) {
            await record.model.load();
        }
    }
}

registry.category("view_widgets").add("frontpay_live_setup", {
    component: LiveSetup,
});
