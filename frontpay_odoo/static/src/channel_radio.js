import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { HighlightText } from "@web/webclient/settings_form_view/highlight_text/highlight_text";
import { RadioField, radioField } from "@web/views/fields/radio/radio_field";

// What happens, and for whom, by the keys of CHANNELS in connect/channels.py.
const SENTENCES = {
    session: _t(
        "Private customers confirm with BankID; companies are invoiced at once.",
    ),
    regular: _t(
        "The same by an older call of Front Payment's API. Private customers only.",
    ),
    invoice: _t(
        "Nobody confirms. Front Payment sends EHF or eFaktura, else an e-mail, else a letter.",
    ),
    efaktura: _t("An eFaktura in the customer's bank. Private customers only."),
    ehf: _t("A structured e-invoice over Peppol. Organizations in Norway only."),
    payment_link: _t("The customer gets a link by e-mail or SMS and pays at once."),
};

/** The channels as radio buttons, each with a sentence; the settings' search finds both. */
export class ChannelRadio extends RadioField {
    static template = "frontpay_odoo.ChannelRadio";
    static components = { ...RadioField.components, HighlightText };

    sentence(channel) {
        return SENTENCES[channel].toString();
    }
}

registry.category("fields").add("base_settings.frontpay_channel", {
    ...radioField,
    component: ChannelRadio,
});
