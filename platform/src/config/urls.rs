//! Settings that are URLs or places of files. Errors name the scheme and the rule, never what a URL may hide.

use std::path::{Path, PathBuf};

use url::Url;

use super::{DatabaseUrl, RedisUrl};

/// The database: `sqlite:///relative`, `sqlite:////absolute`, `postgres://…` or `postgresql://…`.
pub(super) fn database(text: &str) -> Result<DatabaseUrl, String> {
    match scheme(text) {
        Some("sqlite") => sqlite_path(text).map(DatabaseUrl::Sqlite),
        Some("postgres" | "postgresql") => postgres(text),
        Some(other) => Err(format!("unknown scheme {other:?}: sqlite, postgres and postgresql are known")),
        None => Err("is not a URL like sqlite:///./data/app.db or postgres://user:password@host/name".into()),
    }
}

fn sqlite_path(text: &str) -> Result<PathBuf, String> {
    let path = text.strip_prefix("sqlite:///").ok_or(
        "sqlite takes three slashes and a relative path (sqlite:///./data/app.db), or four and an absolute one",
    )?;
    if path.is_empty() || path.ends_with('/') || path.starts_with(":memory:") {
        return Err("sqlite needs the path of a file, like sqlite:///./data/app.db".into());
    }
    if path.contains(['?', '#']) {
        return Err("sqlite takes a path alone, without ? and #".into());
    }
    Ok(PathBuf::from(path))
}

fn postgres(text: &str) -> Result<DatabaseUrl, String> {
    let url = Url::parse(text).map_err(|error| format!("is not a valid URL: {error}"))?;
    if url.path().len() < 2 {
        return Err("names no database: postgres://user:password@host:5432/name".into());
    }
    Ok(DatabaseUrl::Postgres(text.to_owned()))
}

/// The queue: `redis://…`, without TLS.
pub(super) fn redis(text: &str) -> Result<RedisUrl, String> {
    match scheme(text) {
        Some("redis") => match Url::parse(text) {
            Ok(url) if url.host().is_some() => Ok(RedisUrl::new(text)),
            Ok(_) => Err("names no host: redis://127.0.0.1:6379".into()),
            Err(error) => Err(format!("is not a valid URL: {error}")),
        },
        Some("rediss") => {
            Err("rediss (TLS) is not supported yet: use redis:// inside a private network".into())
        }
        Some(other) => Err(format!("unknown scheme {other:?}: only redis is known")),
        None => Err("is not a URL like redis://127.0.0.1:6379".into()),
    }
}

/// The directory of files: a path, `file:///absolute` or `file://relative`.
pub(super) fn storage(text: &str) -> Result<PathBuf, String> {
    match scheme(text) {
        None => Ok(PathBuf::from(text)),
        Some("file") => match text.strip_prefix("file://").unwrap_or_default() {
            "" => Err("names no directory: file:///var/lib/hookyard/files".into()),
            path => Ok(PathBuf::from(path)),
        },
        Some("s3") => {
            Err("s3 is not supported yet: use a directory, on a volume that all processes share".into())
        }
        Some(other) => Err(format!("unknown scheme {other:?}: a path or file:// is known")),
    }
}

/// A base of links: http or https, no user info, no query, no fragment; without a slash at the end of its path.
pub(super) fn base(text: &str) -> Result<Url, String> {
    let mut url = Url::parse(text).map_err(|error| format!("is not a valid URL: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err("must begin with http:// or https:// and name a host".into());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not carry a user or a password".into());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("must not carry ? or #".into());
    }
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(url)
}

/// The place of the default database file.
pub(super) fn default_database(data_dir: &Path) -> DatabaseUrl {
    DatabaseUrl::Sqlite(data_dir.join("app.db"))
}

fn scheme(text: &str) -> Option<&str> {
    let (scheme, _) = text.split_once(':')?;
    let valid = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    (scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && scheme.chars().all(valid)).then_some(scheme)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sqlite_path_is_relative_with_three_slashes_and_absolute_with_four() {
        for (url, path) in [
            ("sqlite:///./data/app.db", "./data/app.db"),
            ("sqlite:////data/app.db", "/data/app.db"),
            ("sqlite:///app.db", "app.db"),
        ] {
            assert_eq!(database(url), Ok(DatabaseUrl::Sqlite(path.into())), "{url}");
        }
        for bad in [
            "sqlite:",
            "sqlite:app.db",
            "sqlite://app.db",
            "sqlite:///",
            "sqlite:///a/",
            "sqlite:///:memory:",
            "sqlite:///a?mode=rwc",
        ] {
            assert!(database(bad).is_err_and(|wrong| wrong.contains("sqlite")), "{bad}");
        }
    }

    #[test]
    fn an_unknown_scheme_is_named_and_a_password_is_not() {
        let wrong = database("mysql://root:hunter2@db/app").expect_err("unknown scheme");
        assert!(wrong.contains("unknown scheme \"mysql\""), "{wrong}");
        let wrongs = [
            wrong,
            database("postgres://root:hunter2@db:99999/app").expect_err("bad port"),
            database("postgres://root:hunter2@db").expect_err("no database"),
            database("hunter2").expect_err("no URL"),
            redis("rediss://:hunter2@r").expect_err("TLS"),
            redis("redis://:hunter2@r:99999").expect_err("bad port"),
            redis("amqp://:hunter2@r").expect_err("unknown scheme"),
            base("https://a:hunter2@b").expect_err("user info"),
            storage("gs://hunter2").expect_err("unknown scheme"),
        ];
        assert!(wrongs.iter().all(|wrong| !wrong.contains("hunter2")), "{wrongs:?}");
    }

    #[test]
    fn postgres_has_two_names() {
        for url in ["postgres://u:p@db/app", "postgresql://db:5432/app?sslmode=disable"] {
            assert_eq!(database(url), Ok(DatabaseUrl::Postgres(url.to_owned())));
        }
    }

    #[test]
    fn storage_is_a_path_or_a_file_url_and_s3_is_told_to_wait() {
        assert_eq!(storage("./files"), Ok("./files".into()));
        assert_eq!(storage("/var/files"), Ok("/var/files".into()));
        assert_eq!(storage("file:///var/files"), Ok("/var/files".into()));
        assert!(storage("file://").is_err());
        assert!(storage("s3://bucket").is_err_and(|wrong| wrong.contains("not supported yet")));
    }

    #[test]
    fn a_base_url_loses_its_last_slash_and_carries_nothing_else() {
        assert_eq!(
            base("https://hooks.example/in/").map(String::from),
            Ok("https://hooks.example/in".into())
        );
        for bad in ["hooks.example", "ftp://a", "https://a?b", "https://a#b", "https://u@a", "file:///a"] {
            assert!(base(bad).is_err(), "{bad}");
        }
    }
}
