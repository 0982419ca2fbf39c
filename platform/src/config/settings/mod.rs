//! The one list of settings. Tests render `.env.example` and `docs/configuration.md` from it and compare it with what
//! the configuration reads.

mod delivery;
mod doc;
mod notifications;
mod process;

pub use doc::{SettingSpec, UsedBy};

/// Settings that belong together, under one heading of the documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Section {
    /// The heading.
    pub title: &'static str,
    /// In the order of the documents.
    pub settings: &'static [SettingSpec],
}

/// Every setting, in the order of the documents. Defaults are those of the all-in-one process; the meaning says where
/// `hookyard-api` and `hookyard-worker` differ.
pub const SECTIONS: &[Section] = &[
    Section { title: "Storage and servers", settings: process::STORAGE },
    Section { title: "Addresses", settings: process::ADDRESSES },
    Section { title: "Keys and access", settings: process::ACCESS },
    Section { title: "Logs, traces and shutdown", settings: process::OPERATION },
    Section { title: "Uploads", settings: delivery::UPLOADS },
    Section { title: "Delivery", settings: delivery::DELIVERY },
    Section { title: "Web push", settings: notifications::WEB_PUSH },
    Section { title: "Telegram", settings: notifications::TELEGRAM },
    Section { title: "Ignored", settings: process::IGNORED },
];

/// Every setting, in the order of [`SECTIONS`].
pub fn settings() -> impl Iterator<Item = &'static SettingSpec> {
    SECTIONS.iter().flat_map(|section| section.settings)
}

/// The default of a setting; empty when it has none.
pub(super) fn default_of(name: &str) -> &'static str {
    settings().find(|setting| setting.name == name).map_or("", |setting| setting.default)
}
