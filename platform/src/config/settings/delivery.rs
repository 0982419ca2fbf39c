//! Settings of uploads and deliveries.

use super::{SettingSpec, UsedBy};

pub(super) const UPLOADS: &[SettingSpec] = &[
    SettingSpec {
        name: "MAX_UPLOAD_BYTES",
        rule: "integer, 1 to 1099511627776",
        default: "2147483648",
        used_by: UsedBy::Api,
        meaning: "Largest upload in bytes.",
    },
    SettingSpec {
        name: "DOWNLOAD_LINK_TTL",
        rule: "duration, 1s to 30d",
        default: "24h",
        used_by: UsedBy::Both,
        meaning: "How long a signed download link is valid.",
    },
];

pub(super) const DELIVERY: &[SettingSpec] = &[
    SettingSpec {
        name: "RETRY_SCHEDULE",
        rule: "list of up to 20 durations, each at most 7d",
        default: "5s,5m,30m,2h,5h,10h,14h,20h,24h",
        used_by: UsedBy::Both,
        meaning: "Waits between attempts, for endpoints without a schedule of their own. Each wait varies by up \
                  to 20 %.",
    },
    SettingSpec {
        name: "DELIVERY_TIMEOUT",
        rule: "duration, 1s to 60s",
        default: "15s",
        used_by: UsedBy::Worker,
        meaning: "Deadline of one attempt, for endpoints without a timeout of their own.",
    },
    SettingSpec {
        name: "ALLOW_NETWORKS",
        rule: "list of up to 64 CIDR networks, or none",
        default: "127.0.0.0/8,::1/128",
        used_by: UsedBy::Both,
        meaning: "Private networks that deliveries may go to. hookyard-api and hookyard-worker allow none by \
                  default.",
    },
    SettingSpec {
        name: "WORKER_QUEUES",
        rule: "list of deliveries, uploads, broadcasts",
        default: "deliveries,uploads,broadcasts",
        used_by: UsedBy::Worker,
        meaning: "Queues that this process takes work from.",
    },
    SettingSpec {
        name: "SEND_SLOTS",
        rule: "integer, 1 to 65536",
        default: "1024",
        used_by: UsedBy::Worker,
        meaning: "Most sends in progress in one process.",
    },
    SettingSpec {
        name: "HELD_LIMIT",
        rule: "integer, 1 to 10000000",
        default: "100000",
        used_by: UsedBy::Worker,
        meaning: "Most due deliveries that are held for one paused or disabled endpoint. Those beyond it, latest \
                  due time first, become dead letters (held_limit).",
    },
    SettingSpec {
        name: "RETENTION",
        rule: "duration, 1d to 3650d",
        default: "30d",
        used_by: UsedBy::Worker,
        meaning: "How long events, finished deliveries, their attempts and the error log are kept. Dead letters \
                  are kept three times as long.",
    },
];
