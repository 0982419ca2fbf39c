//! `hookyard keys`.

use std::collections::HashMap;

use channels::VapidKeys;
use platform::config::{Config, Role};

use crate::running::command;

/// What it prints, without its remarks: settings by their names.
fn printed() -> HashMap<String, String> {
    let output = command(&["keys", "vapid"]).output().expect("it runs");
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    let text = String::from_utf8(output.stdout).expect("text");
    let settings = text.lines().filter(|line| !line.starts_with('#'));
    settings
        .map(|line| line.split_once('=').expect("NAME=value"))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

#[test]
fn the_pair_that_is_printed_is_taken_as_settings_and_fits() {
    let settings = printed();
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().display().to_string();
    let read = |name: &str| if name == "DATA_DIR" { Some(data.clone()) } else { settings.get(name).cloned() };
    let config = Config::load(Role::AllInOne, read).expect("good settings");
    let vapid = config.vapid.expect("web push is set");
    assert_eq!((settings.len(), vapid.contact.as_str()), (3, "mailto:you@example.com"));
    let keys = VapidKeys::new(vapid.private_key.expose(), &vapid.public_key, &vapid.contact).expect("a pair");
    assert_eq!(keys.public(), settings["VAPID_PUBLIC_KEY"]);
}

#[test]
fn each_pair_is_another() {
    assert_ne!(printed()["VAPID_PRIVATE_KEY"], printed()["VAPID_PRIVATE_KEY"]);
}
