//! Errors that are local and reveal nothing about the receiver: no file descriptors, memory, threads or local ports are left.

use std::{fs::File, io};

use nix::errno::Errno;

/// Error codes of exhausted local resources.
const USED_UP: [Errno; 5] =
    [Errno::EMFILE, Errno::ENFILE, Errno::ENOMEM, Errno::ENOBUFS, Errno::EADDRNOTAVAIL];
/// Opened to find out whether a descriptor is left.
const ALWAYS_THERE: &str = "/dev/null";

/// Whether an error of a socket or a file is a local shortage.
pub(crate) fn is_shortage(error: &io::Error) -> bool {
    let code = error.raw_os_error().map(Errno::from_raw);
    code.is_some_and(|code| USED_UP.contains(&code))
        || matches!(error.kind(), io::ErrorKind::OutOfMemory | io::ErrorKind::AddrNotAvailable)
}

/// Returns the local shortage behind a failed lookup, if any. The system's resolver reports a missing descriptor as a name
/// that does not resolve, so this tries to open one.
pub(super) fn behind_lookup(error: &io::Error) -> Option<io::Error> {
    if is_shortage(error) {
        return Some(io::Error::new(error.kind(), error.to_string()));
    }
    File::open(ALWAYS_THERE).err().filter(is_shortage)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_up_on_this_side_is_a_shortage_and_nothing_else_is() {
        for code in USED_UP {
            assert!(is_shortage(&io::Error::from_raw_os_error(code as i32)), "{code}");
        }
        for code in
            [Errno::ECONNREFUSED, Errno::ECONNRESET, Errno::ETIMEDOUT, Errno::EHOSTUNREACH, Errno::EPIPE]
        {
            assert!(!is_shortage(&io::Error::from_raw_os_error(code as i32)), "{code}");
        }
        assert!(behind_lookup(&io::Error::other("no such name")).is_none());
    }
}
