//! Settings of every process: storage, addresses, access, logs.

use super::{SettingSpec, UsedBy};

pub(super) const STORAGE: &[SettingSpec] = &[
    SettingSpec {
        name: "DATA_DIR",
        rule: "path",
        default: "./data",
        used_by: UsedBy::Both,
        meaning: "Directory for uploads and for the secrets that the all-in-one process generates at its first \
                  start.",
    },
    SettingSpec {
        name: "DATABASE_URL",
        rule: "sqlite:///./relative.db, sqlite:////absolute.db or postgres://user:password@host:5432/name",
        default: "sqlite:///./data/app.db",
        used_by: UsedBy::Both,
        meaning: "The database. By default app.db in DATA_DIR, created when it is missing. hookyard-api and \
                  hookyard-worker require Postgres.",
    },
    SettingSpec {
        name: "REDIS_URL",
        rule: "redis://host:6379",
        default: "",
        used_by: UsedBy::Both,
        meaning: "The queue between processes. Without it the queue is in memory. hookyard-api and \
                  hookyard-worker require it.",
    },
    SettingSpec {
        name: "STORAGE_URL",
        rule: "path or file:///path",
        default: "./data/files",
        used_by: UsedBy::Both,
        meaning: "Directory of uploaded files, shared by all processes. By default files in DATA_DIR.",
    },
];

pub(super) const ADDRESSES: &[SettingSpec] = &[
    SettingSpec {
        name: "API_ADDR",
        rule: "list of 1 to 8 addresses, IP:port",
        default: "127.0.0.1:8081",
        used_by: UsedBy::Api,
        meaning: "Addresses that the API listens on. A public address requires ADMIN_API_KEY.",
    },
    SettingSpec {
        name: "WEBHOOK_HOST",
        rule: "IP address",
        default: "127.0.0.1",
        used_by: UsedBy::Api,
        meaning: "Alternative to API_ADDR, together with WEBHOOK_PORT. API_ADDR takes precedence.",
    },
    SettingSpec {
        name: "WEBHOOK_PORT",
        rule: "port, 0 to 65535",
        default: "8081",
        used_by: UsedBy::Api,
        meaning: "Alternative to API_ADDR, together with WEBHOOK_HOST.",
    },
    SettingSpec {
        name: "DASHBOARD_ADDR",
        rule: "IP:port",
        default: "127.0.0.1:5555",
        used_by: UsedBy::Worker,
        meaning: "Address that the dashboard listens on. A public address requires ADMIN_API_KEY.",
    },
    SettingSpec {
        name: "PUBLIC_URL",
        rule: "http or https URL without user info, query or fragment",
        default: "http://127.0.0.1:8081",
        used_by: UsedBy::Both,
        meaning: "URL under which clients reach the API; download links start with it. Derived from API_ADDR \
                  by default.",
    },
    SettingSpec {
        name: "CORS_ORIGINS",
        rule: "list or JSON array of up to 64 origins, * for all, [] for none",
        default: "",
        used_by: UsedBy::Both,
        meaning: "Origins whose pages may call the API from a browser. By default the all-in-one process allows \
                  every origin for the notifications API alone, hookyard-api none.",
    },
];

pub(super) const ACCESS: &[SettingSpec] = &[
    SettingSpec {
        name: "WEBHOOK_SECRET",
        rule: "text, at most 1024 bytes",
        default: "",
        used_by: UsedBy::Api,
        meaning: "Secret of signed messages (POST /webhook). hookyard-api requires it; the all-in-one process \
                  generates one and keeps it in DATA_DIR.",
    },
    SettingSpec {
        name: "SECRET_KEY",
        rule: "32 bytes in base64",
        default: "",
        used_by: UsedBy::Both,
        meaning: "Root of all derived keys, the same for every process: openssl rand -base64 32. The all-in-one \
                  process generates one and keeps it in DATA_DIR; hookyard-api and hookyard-worker require it.",
    },
    SettingSpec {
        name: "ADMIN_API_KEY",
        rule: "16 to 1024 visible ASCII characters",
        default: "",
        used_by: UsedBy::Both,
        meaning: "The administrator's API key: openssl rand -hex 32.",
    },
    SettingSpec {
        name: "ALLOW_UNAUTHENTICATED",
        rule: "true or false",
        default: "false",
        used_by: UsedBy::Both,
        meaning: "Permits a public address without ADMIN_API_KEY. Every caller is then an administrator: use it \
                  only on a private network.",
    },
    SettingSpec {
        name: "METRICS_PUBLIC",
        rule: "true or false",
        default: "true",
        used_by: UsedBy::Both,
        meaning: "Whether /metrics answers without the administrator's key.",
    },
];

pub(super) const OPERATION: &[SettingSpec] = &[
    SettingSpec {
        name: "LOG_LEVEL",
        rule: "DEBUG, INFO, WARNING, ERROR, or tracing filters such as info,api=debug",
        default: "INFO",
        used_by: UsedBy::Both,
        meaning: "Least severe log lines that are written.",
    },
    SettingSpec {
        name: "LOG_FORMAT",
        rule: "pretty or json",
        default: "pretty",
        used_by: UsedBy::Both,
        meaning: "Format of log lines. hookyard-api and hookyard-worker write json by default.",
    },
    SettingSpec {
        name: "OTEL_EXPORTER_OTLP_ENDPOINT",
        rule: "http or https URL",
        default: "",
        used_by: UsedBy::Both,
        meaning: "URL of an OTLP collector, such as http://127.0.0.1:4318. It is checked at start; traces are not \
                  exported yet.",
    },
    SettingSpec {
        name: "SHUTDOWN_TIMEOUT",
        rule: "duration, 1s to 1h",
        default: "75s",
        used_by: UsedBy::Both,
        meaning: "Longest wait for work in progress when the process stops.",
    },
];

pub(super) const IGNORED: &[SettingSpec] = &[SettingSpec {
    name: "MONGO_CONNECTION_STR",
    rule: "any",
    default: "",
    used_by: UsedBy::Both,
    meaning: "Ignored with a log line at start: Hookyard does not use MongoDB.",
}];
