//! Whole configurations: what each role needs, makes and refuses.

mod documented;
mod first_start;

use std::{collections::HashMap, net::SocketAddr, path::Path, time::Duration};

use domain::job::QueueName;

use super::*;

const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const ADMIN: &str = "0123456789abcdef";

/// What an API or worker needs at least.
const APART: [(&str, &str); 4] = [
    ("WEBHOOK_SECRET", "a-secret-of-clients"),
    ("SECRET_KEY", KEY),
    ("REDIS_URL", "redis://127.0.0.1:6379"),
    ("DATABASE_URL", "postgres://hookyard:hunter2@db/hookyard"),
];

fn load(role: Role, settings: &[(&str, &str)]) -> Result<Config, ConfigErrors> {
    let map: HashMap<&str, &str> = settings.iter().copied().collect();
    roles::parse(role, &|name| map.get(name).map(ToString::to_string)).map(|(config, _)| config)
}

fn all_in_one(settings: &[(&str, &str)]) -> Result<Config, ConfigErrors> {
    load(Role::AllInOne, settings)
}

fn apart(role: Role, more: &[(&str, &str)]) -> Result<Config, ConfigErrors> {
    load(role, &[&APART, more].concat())
}

fn wrong(result: Result<Config, ConfigErrors>) -> String {
    result.expect_err("must be refused").to_string()
}

#[test]
fn the_all_in_one_process_needs_no_setting() {
    let config = all_in_one(&[]).expect("defaults are valid");
    assert_eq!(config.database_url, DatabaseUrl::Sqlite("./data/app.db".into()));
    assert_eq!(config.redis_url, None);
    assert_eq!(config.api_addrs, ["127.0.0.1:8081".parse::<SocketAddr>().expect("address")]);
    assert_eq!(config.dashboard_addr.to_string(), "127.0.0.1:5555");
    assert_eq!(config.public_link("/v1/x"), "http://127.0.0.1:8081/v1/x");
    assert_eq!(config.allow_networks, networks::loopback_networks());
    assert_eq!(config.storage_dir, Path::new("./data/files"));
    assert_eq!(config.max_upload_bytes, 2 << 30);
    assert_eq!((config.log_level.as_str(), config.log_format), ("info", LogFormat::Pretty));
    assert_eq!(config.cors_origins, CorsOrigins::AnyForNotifications);
    assert_eq!(config.worker_queues, QueueName::ALL);
    assert_eq!(config.shutdown_timeout, Duration::from_secs(75));
    assert!(config.notices.is_empty(), "{:?}", config.notices);
}

#[test]
fn api_and_worker_have_careful_defaults() {
    for role in [Role::Api, Role::Worker] {
        let config = apart(role, &[]).expect("enough");
        assert!(config.allow_networks.is_empty());
        assert_eq!(config.log_format, LogFormat::Json);
        assert_eq!(config.cors_origins, CorsOrigins::NoOrigin);
    }
}

#[test]
fn the_written_defaults_are_the_defaults() {
    let unset = all_in_one(&[]).expect("valid");
    for SettingSpec { name, default, .. } in settings().filter(|setting| !setting.default.is_empty()) {
        let mut config = all_in_one(&[(name, default)]).unwrap_or_else(|wrong| panic!("{wrong}"));
        config.secret_key = unset.secret_key.clone();
        assert_eq!(format!("{config:?}"), format!("{unset:?}"), "{name}");
    }
}

#[test]
fn everything_wrong_is_said_at_once_in_the_order_of_the_settings() {
    let text = wrong(all_in_one(&[
        ("SEND_SLOTS", "0"),
        ("DELIVERY_TIMEOUT", "600s"),
        ("DATABASE_URL", "mysql://db"),
        ("LOG_FORMAT", "xml"),
        ("WORKER_QUEUES", "deliveries,deliveries"),
    ]));
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines,
        [
            "DATABASE_URL: unknown scheme \"mysql\": sqlite, postgres and postgresql are known",
            "LOG_FORMAT: \"xml\" is neither pretty nor json",
            "DELIVERY_TIMEOUT: 600s is above 1m",
            "WORKER_QUEUES: has deliveries twice",
            "SEND_SLOTS: 0 is below 1",
        ]
    );
}

#[test]
fn a_setting_outside_its_bounds_is_refused_and_at_the_bound_taken() {
    for (name, good, bad) in [
        ("DELIVERY_TIMEOUT", ["1s", "60s"], ["999ms", "60001ms"]),
        ("SHUTDOWN_TIMEOUT", ["1s", "1h"], ["0s", "3601s"]),
        ("DOWNLOAD_LINK_TTL", ["1s", "30d"], ["999ms", "2592001s"]),
        ("RETENTION", ["1d", "3650d"], ["23h", "3651d"]),
        ("SEND_SLOTS", ["1", "65536"], ["0", "65537"]),
        ("HELD_LIMIT", ["1", "10000000"], ["0", "10000001"]),
        ("PUSH_SUBSCRIPTIONS_PER_DAY", ["1", "1000000"], ["0", "1000001"]),
        ("MAX_UPLOAD_BYTES", ["1", "1099511627776"], ["0", "1099511627777"]),
        ("WEBHOOK_PORT", ["0", "65535"], ["-1", "65536"]),
        ("RETRY_SCHEDULE", ["7d", "0s"], ["604801s", "soon"]),
    ] {
        for value in good {
            assert!(all_in_one(&[(name, value)]).is_ok(), "{name}={value}");
        }
        for value in bad {
            assert!(wrong(all_in_one(&[(name, value)])).starts_with(&format!("{name}: ")), "{name}={value}");
        }
    }
}

#[test]
fn the_api_needs_four_settings_and_says_each() {
    let text = wrong(load(Role::Api, &[]));
    let names: Vec<&str> =
        text.lines().filter_map(|line| line.split_once(": ")).map(|(name, _)| name).collect();
    assert_eq!(names, ["DATABASE_URL", "REDIS_URL", "WEBHOOK_SECRET", "SECRET_KEY"]);
    for (missing, _) in APART {
        let rest: Vec<_> = APART.into_iter().filter(|(name, _)| *name != missing).collect();
        let text = wrong(load(Role::Api, &rest));
        assert!(text.starts_with(&format!("{missing}: is required")) && text.lines().count() == 1, "{text}");
    }
}

#[test]
fn a_worker_needs_no_webhook_secret() {
    assert_eq!(load(Role::Worker, &APART[1..]).expect("enough").webhook_secret, None);
}

#[test]
fn sqlite_is_for_one_process() {
    let text = wrong(apart(Role::Worker, &[("DATABASE_URL", "sqlite:////data/app.db")]));
    assert!(text.starts_with("DATABASE_URL: must be postgres://"), "{text}");
}

#[test]
fn a_public_address_without_a_key_is_refused_with_the_way_out() {
    for (role, name, value) in [
        (Role::AllInOne, "API_ADDR", "127.0.0.1:8081,0.0.0.0:8082"),
        (Role::AllInOne, "WEBHOOK_HOST", "0.0.0.0"),
        (Role::AllInOne, "DASHBOARD_ADDR", "[::]:5555"),
        (Role::Api, "API_ADDR", "10.0.0.1:8081"),
        (Role::Worker, "DASHBOARD_ADDR", "0.0.0.0:5555"),
    ] {
        let text = wrong(apart(role, &[(name, value)]));
        assert!(text.starts_with(&format!("{name}: ")) && text.contains("set ADMIN_API_KEY"), "{text}");
        assert!(apart(role, &[(name, value), ("ADMIN_API_KEY", ADMIN)]).expect("a key").notices.is_empty());
        let open = apart(role, &[(name, value), ("ALLOW_UNAUTHENTICATED", "true")]).expect("asked for");
        assert!(open.notices.iter().any(|notice| notice.contains("NO KEY IS REQUIRED")), "{open:?}");
    }
}

#[test]
fn an_address_that_a_role_does_not_listen_on_is_no_door() {
    assert!(apart(Role::Worker, &[("API_ADDR", "0.0.0.0:8081")]).is_ok());
    assert!(apart(Role::Api, &[("DASHBOARD_ADDR", "0.0.0.0:5555")]).is_ok());
}

#[test]
fn a_short_admin_key_is_refused_once_and_opens_no_door() {
    let text = wrong(all_in_one(&[("API_ADDR", "0.0.0.0:8081"), ("ADMIN_API_KEY", &ADMIN[1..])]));
    assert!(text.starts_with("ADMIN_API_KEY: is shorter than 16"), "{text}");
    assert_eq!(text.lines().count(), 1);
}

#[test]
fn the_api_listens_where_it_is_told() {
    let addrs = |settings: &[(&str, &str)]| all_in_one(settings).expect("valid").api_addrs;
    let both = [("WEBHOOK_HOST", "::1"), ("WEBHOOK_PORT", "9000"), ("API_ADDR", "localhost:1, [::1]:2")];
    assert_eq!(addrs(&both[..2]), ["[::1]:9000".parse::<SocketAddr>().expect("address")]);
    let texts: Vec<String> = addrs(&both).iter().map(ToString::to_string).collect();
    assert_eq!(texts, ["127.0.0.1:1", "[::1]:2"]);
    assert!(wrong(all_in_one(&[("API_ADDR", "8081")])).contains("is not an address like"));
    assert!(all_in_one(&[("API_ADDR", &["[::1]:1"; 8].join(","))]).is_ok());
    assert!(wrong(all_in_one(&[("API_ADDR", &["[::1]:1"; 9].join(","))])).contains("at most 8"));
}

#[test]
fn a_log_level_is_a_word_in_any_case_or_a_filter() {
    let level = |text: &str| all_in_one(&[("LOG_LEVEL", text)]).map(|config| config.log_level);
    for (text, filter) in
        [("DEBUG", "debug"), ("Warning", "warn"), ("error", "error"), ("info,api=debug", "info,api=debug")]
    {
        assert_eq!(level(text).as_deref(), Ok(filter));
    }
    for bad in ["LOUD", "info,api", "api=loud", ","] {
        assert!(level(bad).is_err_and(|wrong| wrong.to_string().starts_with("LOG_LEVEL: ")), "{bad}");
    }
}

#[test]
fn mongodb_and_a_short_webhook_secret_are_remarked() {
    let config =
        all_in_one(&[("MONGO_CONNECTION_STR", "mongodb://u:hunter2@m"), ("WEBHOOK_SECRET", "mysecretkey")]);
    let notices = config.expect("both are allowed").notices;
    assert_eq!(notices.len(), 2, "{notices:?}");
    assert!(notices[0].contains("no MongoDB") && notices[1].contains("WEBHOOK_SECRET"), "{notices:?}");
    assert!(!notices.concat().contains("hunter2") && !notices.concat().contains("mysecretkey"));
}

#[test]
fn web_push_and_telegram_are_set_whole_or_not_at_all() {
    let text = wrong(all_in_one(&[("VAPID_EMAIL", "a@b.example"), ("TELEGRAM_CHAT_ID", "42")]));
    let names: Vec<&str> =
        text.lines().filter_map(|line| line.split_once(": ")).map(|(name, _)| name).collect();
    assert_eq!(names, ["VAPID_PRIVATE_KEY", "VAPID_PUBLIC_KEY", "TELEGRAM_BOT_TOKEN"]);

    let public = format!("BA{}", "A".repeat(85));
    let private = "A".repeat(43);
    let config = all_in_one(&[
        ("VAPID_EMAIL", "a@b.example"),
        ("VAPID_PUBLIC_KEY", &public),
        ("VAPID_PRIVATE_KEY", &private),
        ("TELEGRAM_BOT_TOKEN", "123:abc"),
        ("TELEGRAM_API_URL", "http://127.0.0.1:9/"),
    ])
    .expect("whole");
    assert_eq!(config.vapid.expect("set").contact, "mailto:a@b.example");
    assert_eq!(config.telegram.expect("set").api_url, "http://127.0.0.1:9");
}

#[test]
fn no_secret_is_shown_by_debug_or_by_an_error() {
    let settings = [
        ("WEBHOOK_SECRET", "hunter2-webhook"),
        ("ADMIN_API_KEY", "hunter2-admin-key"),
        ("REDIS_URL", "redis://:hunter2@r:6379"),
        ("DATABASE_URL", "postgres://u:hunter2@db/app"),
        ("TELEGRAM_BOT_TOKEN", "1:hunter2"),
    ];
    let shown = format!("{:?}", all_in_one(&settings).expect("valid"));
    assert!(!shown.contains("hunter2"), "{shown}");
    let bad = settings.map(|(name, value)| (name, format!("hunter2 {value}\u{7f}")));
    let bad: Vec<(&str, &str)> = bad.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let text = wrong(all_in_one(&[&bad[..], &[("SECRET_KEY", "hunter2")]].concat()));
    assert!(text.lines().count() >= 5 && !text.contains("hunter2"), "{text}");
}
