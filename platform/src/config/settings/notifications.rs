//! Settings of web push and Telegram.

use super::{SettingSpec, UsedBy};

pub(super) const WEB_PUSH: &[SettingSpec] = &[
    SettingSpec {
        name: "VAPID_PRIVATE_KEY",
        rule: "32 bytes in base64url",
        default: "",
        used_by: UsedBy::Both,
        meaning: "Private key of web push. Web push requires all three VAPID settings; hookyard keys vapid \
                  prints a new pair.",
    },
    SettingSpec {
        name: "VAPID_PUBLIC_KEY",
        rule: "65 bytes in base64url",
        default: "",
        used_by: UsedBy::Both,
        meaning: "Public key of web push.",
    },
    SettingSpec {
        name: "VAPID_EMAIL",
        rule: "e-mail address or https URL",
        default: "",
        used_by: UsedBy::Both,
        meaning: "Contact for push services.",
    },
    SettingSpec {
        name: "PUSH_SERVICES",
        rule: "list of up to 64 host names, *.example.com for subdomains, * for every host",
        default: "",
        used_by: UsedBy::Api,
        meaning: "Push services at which browsers may subscribe, in addition to those of Chrome, Edge, Firefox \
                  and Safari.",
    },
    SettingSpec {
        name: "PUSH_SUBSCRIPTIONS_PER_DAY",
        rule: "integer, 1 to 1000000",
        default: "1000",
        used_by: UsedBy::Api,
        meaning: "Burst and daily rate of new push subscriptions from one address without a key.",
    },
];

pub(super) const TELEGRAM: &[SettingSpec] = &[
    SettingSpec {
        name: "TELEGRAM_BOT_TOKEN",
        rule: "bot token, such as 123456:letters",
        default: "",
        used_by: UsedBy::Both,
        meaning: "Token of the Telegram bot.",
    },
    SettingSpec {
        name: "TELEGRAM_CHAT_ID",
        rule: "number or @name",
        default: "",
        used_by: UsedBy::Both,
        meaning: "Chat that receives every message, in addition to the subscribers. Requires TELEGRAM_BOT_TOKEN.",
    },
    SettingSpec {
        name: "TELEGRAM_API_URL",
        rule: "http or https URL",
        default: "https://api.telegram.org",
        used_by: UsedBy::Both,
        meaning: "Base URL of the Bot API.",
    },
];
