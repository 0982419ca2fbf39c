//! What callers may see and do. Who they are is decided by [`web::auth`].

mod permission;

use entity::scope::Scope;

pub(crate) use permission::{Administrator, Manager, Publisher, Reader};

/// An authenticated caller.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caller {
    /// Whose data the caller may see.
    pub(crate) scope: Scope,
    /// What the caller may do with it.
    pub(crate) rights: &'static [Right],
}

/// A right of a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Right {
    /// Read data.
    Read,
    /// Publish events and other work.
    Publish,
    /// Register and change endpoints, and read secrets.
    Manage,
}

impl Caller {
    /// The administrator, or any caller where no key is configured.
    const ADMIN: Self =
        Self { scope: Scope::Everyone, rights: &[Right::Read, Right::Publish, Right::Manage] };
}
