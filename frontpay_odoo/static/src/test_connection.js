import { Component } from "@odoo/owl";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";

const TYPED = ["frontpay_environment", "frontpay_custom_url", "frontpay_api_token"];

/** Tests what is typed in the settings or in the set-up. A button of the form would save it first. */
export class TestConnection extends Component {
    static template = "frontpay_odoo.TestConnection";
    static props = { ...standardWidgetProps };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
    }

    async test() {
        const { record } = this.props;
        await record.isDirty(); // takes over what is just being typed
        const typed = Object.fromEntries(
            TYPED.map((name) => [name, record.data[name]]),
        );
        const method = "frontpay_test_connection";
        await this.action.doAction(
            await this.orm.call("res.config.settings", method, [typed]),
        );
    }
}

registry.category("view_widgets").add("frontpay_test_connection", {
    component: TestConnection,
});
