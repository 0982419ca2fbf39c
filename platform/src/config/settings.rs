//! The one list of settings: name, default and meaning. `.env.example` and the README are held equal to it by tests.

/// One setting, as documents show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SettingDoc {
    /// The name in the environment.
    pub name: &'static str,
    /// The default as one would write it; empty when there is none.
    pub default: &'static str,
    /// What it does, in a sentence.
    pub meaning: &'static str,
}

const fn setting(name: &'static str, default: &'static str, meaning: &'static str) -> SettingDoc {
    SettingDoc { name, default, meaning }
}

/// Every setting, in the order of documents. Defaults are those of the all-in-one process; the meaning says where they
/// differ.
pub const SETTINGS: &[SettingDoc] = &[
    setting(
        "DATA_DIR",
        "./data",
        "Directory of what is kept outside the database: uploads, and the secrets made at the first start.",
    ),
    setting(
        "DATABASE_URL",
        "sqlite:///./data/app.db",
        "sqlite:///./relative.db, sqlite:////absolute.db (made if missing) or \
         postgres://user:password@host:5432/name. By default app.db in DATA_DIR; hookyard-api and \
         hookyard-worker need Postgres.",
    ),
    setting(
        "REDIS_URL",
        "",
        "Queue between processes: redis://host:6379. Without it the queue is in memory; hookyard-api and \
         hookyard-worker need it.",
    ),
    setting(
        "API_ADDR",
        "127.0.0.1:8081",
        "Where the API listens, one or more addresses by comma. A public one needs ADMIN_API_KEY.",
    ),
    setting(
        "WEBHOOK_HOST",
        "127.0.0.1",
        "With WEBHOOK_PORT another way to say where the API listens; API_ADDR wins.",
    ),
    setting("WEBHOOK_PORT", "8081", "See WEBHOOK_HOST."),
    setting(
        "DASHBOARD_ADDR",
        "127.0.0.1:5555",
        "Where the dashboard listens. A public address needs ADMIN_API_KEY.",
    ),
    setting(
        "PUBLIC_URL",
        "http://127.0.0.1:8081",
        "How clients reach the API, for download links. By default made from API_ADDR.",
    ),
    setting(
        "WEBHOOK_SECRET",
        "",
        "Secret of signed ingest, POST /webhook. hookyard-api needs it; the all-in-one process makes one \
         and keeps it in DATA_DIR.",
    ),
    setting(
        "SECRET_KEY",
        "",
        "32 bytes in base64 that every key is derived from, the same for every process: openssl rand \
         -base64 32. The all-in-one process makes one and keeps it in DATA_DIR.",
    ),
    setting("ADMIN_API_KEY", "", "The administrator's key, at least 16 characters: openssl rand -hex 32."),
    setting(
        "ALLOW_UNAUTHENTICATED",
        "false",
        "true opens a public address without a key: only on a private network.",
    ),
    setting(
        "ALLOW_NETWORKS",
        "127.0.0.0/8,::1/128",
        "Private networks that deliveries may go to, as CIDRs by comma, or none. hookyard-api and \
         hookyard-worker: none by default.",
    ),
    setting(
        "STORAGE_URL",
        "./data/files",
        "Directory of uploads that all processes share, as a path or file:///path. By default files in \
         DATA_DIR.",
    ),
    setting("MAX_UPLOAD_BYTES", "2147483648", "Largest upload in bytes, at most 1 TiB."),
    setting("DOWNLOAD_LINK_TTL", "24h", "How long a signed download link lives, 1s to 30d."),
    setting(
        "LOG_LEVEL",
        "INFO",
        "DEBUG, INFO, WARNING, ERROR, or filters of tracing such as info,api=debug.",
    ),
    setting("LOG_FORMAT", "pretty", "pretty or json. hookyard-api and hookyard-worker: json by default."),
    setting(
        "RETRY_SCHEDULE",
        "5s,5m,30m,2h,5h,10h,14h,20h,24h",
        "Waits between attempts by comma: at most 20, each at most 7d.",
    ),
    setting("DELIVERY_TIMEOUT", "15s", "Longest attempt of a delivery, 1s to 60s."),
    setting("SHUTDOWN_TIMEOUT", "75s", "Longest wait for work under way at a stop, 1s to 1h."),
    setting(
        "WORKER_QUEUES",
        "deliveries,uploads,broadcasts",
        "Queues that this process takes work from, by comma.",
    ),
    setting("SEND_SLOTS", "1024", "Most sends under way in one process, 1 to 65536."),
    setting(
        "HELD_LIMIT",
        "100000",
        "Most deliveries that are due and held for one paused or disabled endpoint, 1 to 10000000. Beyond it \
         those due last are dead letters (held_limit).",
    ),
    setting("METRICS_PUBLIC", "true", "false asks for the administrator's key on /metrics."),
    setting(
        "VAPID_PRIVATE_KEY",
        "",
        "Private key of web push in base64url. Web push needs all three VAPID settings.",
    ),
    setting("VAPID_PUBLIC_KEY", "", "Public key of web push in base64url."),
    setting("VAPID_EMAIL", "", "Contact for push services: an e-mail address or an https URL."),
    setting(
        "PUSH_SERVICES",
        "",
        "Push services at which browsers may subscribe, beside those of Chrome, Edge, Firefox and Safari: \
         host names by comma, *.example.com for its subdomains, * for every host.",
    ),
    setting(
        "PUSH_SUBSCRIPTIONS_PER_DAY",
        "1000",
        "New push subscriptions that one address may make at once, and as many again over a day, without a \
         key: 1 to 1000000.",
    ),
    setting("TELEGRAM_BOT_TOKEN", "", "Token of the Telegram bot."),
    setting("TELEGRAM_CHAT_ID", "", "A chat that gets every message, beside the subscribers."),
    setting("TELEGRAM_API_URL", "https://api.telegram.org", "Where the Bot API answers."),
    setting(
        "CORS_ORIGINS",
        "",
        "Origins of browsers that may call, by comma or as a JSON list; * is every one. By default the \
         all-in-one process allows every origin on the notification surface alone, hookyard-api none.",
    ),
    setting(
        "RETENTION",
        "30d",
        "How long events, finished deliveries, their attempts and the error log are kept, 1d to 3650d; dead \
         letters three times as long.",
    ),
    setting("OTEL_EXPORTER_OTLP_ENDPOINT", "", "Where traces go by OTLP, such as http://127.0.0.1:4318."),
    setting("MONGO_CONNECTION_STR", "", "Ignored with one line at start: there is no MongoDB here."),
];

/// The default of a setting; empty when it has none.
pub(super) fn default_of(name: &str) -> &'static str {
    SETTINGS.iter().find(|setting| setting.name == name).map_or("", |setting| setting.default)
}
