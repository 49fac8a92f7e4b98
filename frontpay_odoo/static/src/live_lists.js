import { useEffect } from "@odoo/owl";
import { patch } from "@web/core/utils/patch";
import { useService } from "@web/core/utils/hooks";
import { KanbanController } from "@web/views/kanban/kanban_controller";
import { ListController } from "@web/views/list/list_controller";

const CHANNEL = "frontpay_odoo.queue"; // QUEUE_CHANNEL of models/frontpay_order_queue.py
const MODELS = ["account.move", "frontpay.order"];

/** Reads a list anew when invoices of the queue have gone, unless somebody is at it. */
function useQueue(controller) {
    const bus = useService("bus_service");
    const reload = () => {
        const { isReady, root } = controller.model;
        // A second reading during the first one would be the end of both.
        if (isReady && !root.editedRecord && !root.selection?.length) {
            return controller.model.load();
        }
    };
    useEffect(
        () => {
            bus.subscribe(CHANNEL, reload);
            return () => bus.unsubscribe(CHANNEL, reload);
        },
        () => [],
    );
}

const live = () => ({
    setup() {
        super.setup(...arguments);
        if (MODELS.includes(this.props.resModel)) {
            useQueue(this);
        }
    },
});

patch(ListController.prototype, live());
patch(KanbanController.prototype, live());
