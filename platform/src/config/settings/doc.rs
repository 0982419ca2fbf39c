//! The description of one setting.

/// One setting, as the documents show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SettingSpec {
    /// The name in the environment.
    pub name: &'static str,
    /// The type and its limits.
    pub rule: &'static str,
    /// The default in the notation of the environment; empty when there is none.
    pub default: &'static str,
    /// The processes that use it.
    pub used_by: UsedBy,
    /// What it does, in one or two sentences.
    pub meaning: &'static str,
}

/// The processes that use a setting. The all-in-one process uses every one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UsedBy {
    /// `hookyard-api` and `hookyard-worker`.
    Both,
    /// `hookyard-api`.
    Api,
    /// `hookyard-worker`.
    Worker,
}

impl UsedBy {
    /// The word of the documents.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Both => "all",
            Self::Api => "API",
            Self::Worker => "worker",
        }
    }
}
