//! Checks what the demo promises.

use anyhow::bail;

/// Returns an error that names both values unless they are equal.
pub(super) fn same<T: PartialEq + std::fmt::Display>(
    what: &str,
    expected: T,
    found: T,
) -> anyhow::Result<()> {
    if expected != found {
        bail!("{what}: expected {expected}, got {found}");
    }
    Ok(())
}
