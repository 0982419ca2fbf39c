//! What the all-in-one process makes at its first start, and keeps.

use std::{fs, os::unix::fs::PermissionsExt};

use super::*;

fn load(data_dir: &Path, more: &[(&str, &str)]) -> Result<Config, ConfigErrors> {
    let dir = data_dir.to_str().expect("UTF-8").to_owned();
    let map: HashMap<&str, String> = more.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    Config::load(
        Role::AllInOne,
        |name| {
            if name == "DATA_DIR" { Some(dir.clone()) } else { map.get(name).cloned() }
        },
    )
}

#[test]
fn secrets_are_made_at_the_first_start_and_kept() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let data = dir.path().join("new/data");
    let first = load(&data, &[]).expect("first start");
    assert_eq!(first.notices.len(), 2, "{:?}", first.notices);
    assert!(first.notices.iter().all(|notice| notice.contains(data.to_str().expect("UTF-8"))));
    let second = load(&data, &[]).expect("second start");
    assert_eq!((&second.secret_key, &second.webhook_secret), (&first.secret_key, &first.webhook_secret));
    assert!(second.notices.is_empty(), "{:?}", second.notices);

    let mut files: Vec<String> = fs::read_dir(&data)
        .expect("made")
        .map(|entry| entry.expect("entry").file_name().into_string().expect("UTF-8"))
        .collect();
    files.sort();
    assert_eq!(files, ["secret_key", "webhook_secret"], "no draft is left behind");
    for file in files {
        let mode = fs::metadata(data.join(file)).expect("kept").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn secrets_that_are_set_are_used_and_none_is_made() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let config = load(dir.path(), &[("SECRET_KEY", KEY), ("WEBHOOK_SECRET", "mysecretkey")]).expect("valid");
    assert_eq!(config.secret_key[31], 31);
    assert_eq!(config.webhook_secret.expect("set").expose(), "mysecretkey");
    assert_eq!(fs::read_dir(dir.path()).expect("directory").count(), 0);
}

#[test]
fn nothing_is_made_while_a_setting_is_wrong() {
    let dir = tempfile::tempdir().expect("temporary directory");
    assert!(load(dir.path(), &[("SEND_SLOTS", "0")]).is_err());
    assert_eq!(fs::read_dir(dir.path()).expect("directory").count(), 0);
}

#[test]
fn two_first_starts_at_once_agree() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let keys: Vec<SecretKey> = std::thread::scope(|scope| {
        let starts: Vec<_> = (0..8).map(|_| scope.spawn(|| load(dir.path(), &[]))).collect();
        starts.into_iter().map(|start| start.join().expect("no panic").expect("valid").secret_key).collect()
    });
    assert!(keys.iter().all(|key| *key == keys[0]));
}

#[test]
fn a_kept_secret_that_is_broken_is_never_replaced() {
    let dir = tempfile::tempdir().expect("temporary directory");
    for broken in ["", "c2hvcnQ=", &"x".repeat(4_097)] {
        fs::write(dir.path().join("secret_key"), broken).expect("write");
        let text = wrong(load(dir.path(), &[]));
        assert!(text.starts_with("SECRET_KEY: is not set, and ") && text.contains("secret_key"), "{text}");
        assert_eq!(fs::read_to_string(dir.path().join("secret_key")).expect("kept"), broken);
    }
}

#[test]
fn a_kept_secret_that_others_can_read_is_remarked() {
    let dir = tempfile::tempdir().expect("temporary directory");
    load(dir.path(), &[]).expect("first start");
    let path = dir.path().join("secret_key");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("chmod");
    assert!(load(dir.path(), &[]).expect("valid").notices[0].contains("chmod 600"));
}
