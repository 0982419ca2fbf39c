//! Assembles a configuration: the settings that a role needs, their defaults, and combinations that are refused because
//! they would expose the service without authentication.

use std::{path::PathBuf, time::Duration};

use domain::{delivery::RetrySchedule, notification::PushServices};

use super::{
    Config, ConfigErrors, CorsOrigins, DatabaseUrl, LogFormat, Role, SecretKey, enums,
    env_reader::{EnvReader, boolean, duration, number},
    first_start::GeneratedSecrets,
    networks, secrets,
    settings::default_of,
    urls,
};

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(24 * 3_600);
/// Upper bound of `DELIVERY_TIMEOUT`.
const DELIVERY_TIMEOUT_MAX: Duration = Duration::from_secs(60);
/// Upper bound of `SHUTDOWN_TIMEOUT`.
const SHUTDOWN_TIMEOUT_MAX: Duration = Duration::from_secs(3_600);
/// Upper bound of `DOWNLOAD_LINK_TTL`.
const LINK_TTL_MAX: Duration = Duration::from_secs(30 * 24 * 3_600);
/// Upper bound of `RETENTION`.
const RETENTION_MAX: Duration = Duration::from_secs(3_650 * 24 * 3_600);
/// Upper bound of `MAX_UPLOAD_BYTES`: 1 TiB.
const UPLOAD_MAX: u64 = 1 << 40;
/// Below this a `WEBHOOK_SECRET` is worth a warning.
const WEBHOOK_SECRET_ADVISED: usize = 16;

/// Reads every setting for `role`, and returns which secrets were generated because they were not set.
pub(super) fn parse(
    role: Role,
    read: &dyn Fn(&str) -> Option<String>,
) -> Result<(Config, GeneratedSecrets), ConfigErrors> {
    let mut reader = EnvReader::new(read);
    let mut config = settings_of(role, &mut reader);
    let made = require(&config, &mut reader);
    refuse_unprotected_access(&mut config, &mut reader);
    add_notices(&mut config, &reader);
    reader.finish()?;
    Ok((config, made))
}

fn settings_of(role: Role, reader: &mut EnvReader<'_>) -> Config {
    let data_dir =
        PathBuf::from(reader.text("DATA_DIR").unwrap_or_else(|| default_of("DATA_DIR").to_owned()));
    let api_addrs = networks::api_addrs(reader);
    // The first of each pair is the default of the all-in-one process, the second that of API and worker.
    let private = role.pick(networks::loopback_networks(), Vec::new());
    let format = role.pick(LogFormat::Pretty, LogFormat::Json);
    let cors = role.pick(CorsOrigins::AnyForNotifications, CorsOrigins::NoOrigin);
    Config {
        role,
        database_url: reader.or("DATABASE_URL", urls::default_database(&data_dir), urls::database),
        redis_url: reader.optional("REDIS_URL", urls::redis),
        dashboard_addr: reader.or_default("DASHBOARD_ADDR", networks::socket_addr),
        public_url: reader.or("PUBLIC_URL", networks::url_of(api_addrs[0]), urls::base),
        webhook_secret: reader.optional("WEBHOOK_SECRET", secrets::text),
        // Generated when it is not set: stored by the all-in-one process, refused elsewhere.
        secret_key: reader.or("SECRET_KEY", SecretKey::random(), secrets::secret_key),
        admin_api_key: reader.optional("ADMIN_API_KEY", secrets::admin_key),
        allow_unauthenticated: reader.or_default("ALLOW_UNAUTHENTICATED", boolean),
        allow_networks: reader.or("ALLOW_NETWORKS", private, networks::networks),
        storage_dir: reader.or("STORAGE_URL", data_dir.join("files"), urls::storage),
        max_upload_bytes: reader.or_default("MAX_UPLOAD_BYTES", number(1..=UPLOAD_MAX)),
        download_link_ttl: reader.or_default("DOWNLOAD_LINK_TTL", duration(SECOND..=LINK_TTL_MAX)),
        log_level: reader.or_default("LOG_LEVEL", enums::log_level),
        log_format: reader.or("LOG_FORMAT", format, enums::log_format),
        retry_schedule: reader.or("RETRY_SCHEDULE", RetrySchedule::default(), enums::retry_schedule),
        delivery_timeout: reader.or_default("DELIVERY_TIMEOUT", duration(SECOND..=DELIVERY_TIMEOUT_MAX)),
        shutdown_timeout: reader.or_default("SHUTDOWN_TIMEOUT", duration(SECOND..=SHUTDOWN_TIMEOUT_MAX)),
        worker_queues: reader.or_default("WORKER_QUEUES", enums::queues),
        send_slots: reader.or_default("SEND_SLOTS", enums::send_slots),
        held_limit: reader.or_default("HELD_LIMIT", enums::held_limit),
        metrics_public: reader.or_default("METRICS_PUBLIC", boolean),
        cors_origins: reader.or("CORS_ORIGINS", cors, networks::origins),
        vapid: secrets::vapid(reader),
        push_services: reader.or("PUSH_SERVICES", PushServices::default(), networks::push_services),
        push_subscriptions_per_day: reader
            .or_default("PUSH_SUBSCRIPTIONS_PER_DAY", enums::push_subscriptions_per_day),
        telegram: secrets::telegram(reader),
        retention: reader.or_default("RETENTION", duration(DAY..=RETENTION_MAX)),
        otlp_endpoint: reader.optional("OTEL_EXPORTER_OTLP_ENDPOINT", urls::base),
        notices: Vec::new(),
        api_addrs,
        data_dir,
    }
}

/// Checks the settings that a role requires; the all-in-one process generates missing secrets.
fn require(config: &Config, reader: &mut EnvReader<'_>) -> GeneratedSecrets {
    let missing = |reader: &EnvReader<'_>, name| reader.text(name).is_none();
    let (no_secret, no_key) = (missing(reader, "WEBHOOK_SECRET"), missing(reader, "SECRET_KEY"));
    if config.role == Role::AllInOne {
        return GeneratedSecrets { webhook_secret: no_secret, secret_key: no_key };
    }
    if no_secret && config.role == Role::Api {
        reader.wrong("WEBHOOK_SECRET", "is required: the secret that clients sign POST /webhook with");
    }
    if no_key {
        reader.wrong(
            "SECRET_KEY",
            "is required, the same for every process: `openssl rand -base64 32` makes one",
        );
    }
    if missing(reader, "REDIS_URL") {
        reader.wrong("REDIS_URL", "is required where API and workers are apart, like redis://127.0.0.1:6379");
    }
    if missing(reader, "DATABASE_URL") {
        reader.wrong("DATABASE_URL", "is required, like postgres://user:password@host:5432/hookyard");
    } else if matches!(config.database_url, DatabaseUrl::Sqlite(_)) && !reader.has_problem("DATABASE_URL") {
        reader.wrong(
            "DATABASE_URL",
            "must be postgres://… where API and workers are apart: SQLite is for one process",
        );
    }
    GeneratedSecrets::default()
}

/// Refuses a public address without a key, unless `ALLOW_UNAUTHENTICATED` allows it.
fn refuse_unprotected_access(config: &mut Config, reader: &mut EnvReader<'_>) {
    if reader.text("ADMIN_API_KEY").is_some() {
        return;
    }
    let by_host = reader.text("API_ADDR").is_none() && reader.text("WEBHOOK_HOST").is_some();
    let api_name = if by_host { "WEBHOOK_HOST" } else { "API_ADDR" };
    let api = config.api_addrs.iter().find(|address| !networks::is_loopback(address)).copied();
    let dashboard = Some(config.dashboard_addr).filter(|address| !networks::is_loopback(address));
    let doors = match config.role {
        Role::AllInOne => vec![(api_name, api), ("DASHBOARD_ADDR", dashboard)],
        Role::Api => vec![(api_name, api)],
        Role::Worker => vec![("DASHBOARD_ADDR", dashboard)],
    };
    for (name, address) in doors.into_iter().filter_map(|(name, address)| Some((name, address?))) {
        if config.allow_unauthenticated {
            config.notices.push(format!(
                "{name}: {address} can be reached from other machines and NO KEY IS REQUIRED: every client there is an administrator (ALLOW_UNAUTHENTICATED=true)"
            ));
        } else {
            reader.wrong(name, format!(
                "{address} can be reached from other machines: set ADMIN_API_KEY, or ALLOW_UNAUTHENTICATED=true on a private network"
            ));
        }
    }
}

/// Adds notices about settings that are ignored or weak.
fn add_notices(config: &mut Config, reader: &EnvReader<'_>) {
    if reader.text("MONGO_CONNECTION_STR").is_some() {
        config.notices.push(
            "MONGO_CONNECTION_STR is ignored: there is no MongoDB here, DATABASE_URL is the one database"
                .into(),
        );
    }
    if config.webhook_secret.as_ref().is_some_and(|secret| secret.expose().len() < WEBHOOK_SECRET_ADVISED) {
        config.notices.push(format!(
            "WEBHOOK_SECRET is shorter than {WEBHOOK_SECRET_ADVISED} characters: it can be guessed"
        ));
    }
}
