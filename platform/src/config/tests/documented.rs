//! The list of settings names exactly what the configuration reads.

use std::{cell::RefCell, collections::BTreeSet};

use super::*;

/// The names that are read for `role` when these settings are set.
fn names_read(role: Role, set: &[(&str, &str)]) -> BTreeSet<String> {
    let names = RefCell::new(BTreeSet::new());
    let read = |name: &str| {
        names.borrow_mut().insert(name.to_owned());
        set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    };
    // Wrong settings are fine here: only the names count.
    drop(roles::parse(role, &read));
    names.into_inner()
}

#[test]
fn every_setting_that_is_read_is_listed_and_every_listed_one_is_read() {
    let listed: BTreeSet<String> = settings().map(|setting| setting.name.to_owned()).collect();
    for role in [Role::AllInOne, Role::Api, Role::Worker] {
        assert_eq!(names_read(role, &[("API_ADDR", "127.0.0.1:0")]), listed, "{role:?}");
        assert!(names_read(role, &[]).is_subset(&listed), "{role:?}");
        assert!(names_read(role, &APART).is_subset(&listed), "{role:?}");
    }
}
