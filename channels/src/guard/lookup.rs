//! Name resolution by the system, on separate threads, with at most one lookup per name at a time.
//! Caches no addresses: callers share a lookup in progress, and its result is dropped afterwards.

use std::{
    collections::HashMap,
    fmt, io,
    net::{IpAddr, ToSocketAddrs as _},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
};

use futures_util::{
    FutureExt as _,
    future::{BoxFuture, Shared, WeakShared},
};
use tokio::sync::oneshot;

use super::{lookup_limit::LookupLimit, shortage};

/// Stack of a lookup thread, in bytes. The system's resolver modules (mDNS, LDAP) need more than documented.
const STACK_BYTES: usize = 512 * 1_024;

/// The result of a lookup: addresses, or an error.
pub(super) type Found = Result<Arc<[IpAddr]>, Unresolved>;

/// The name did not resolve.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Unresolved {
    message: Arc<str>,
    is_local_shortage: bool,
}

impl Unresolved {
    /// Whether the cause is local: no descriptor, memory or thread was left, or too many lookups were in progress.
    #[must_use]
    pub const fn is_local_shortage(&self) -> bool {
        self.is_local_shortage
    }

    fn name(message: &str) -> Self {
        Self { message: message.into(), is_local_shortage: false }
    }

    fn local_shortage(message: &str) -> Self {
        Self { message: message.into(), is_local_shortage: true }
    }
}

type Lookup = Shared<BoxFuture<'static, Found>>;
type InProgress = HashMap<Box<str>, WeakShared<BoxFuture<'static, Found>>>;

/// Lookups in progress, by name. A burst of sends to a new name costs one lookup, not a thread each.
#[derive(Clone, Default)]
pub(super) struct Lookups {
    in_progress: Arc<Mutex<InProgress>>,
    limit: Arc<LookupLimit>,
}

impl Lookups {
    /// Returns the addresses of `name`, never an empty list.
    pub(super) async fn find(&self, name: &str) -> Found {
        let waiter = Waiter { lookups: self, name, lookup: Some(self.join_or_start(name)) };
        waiter.lookup.clone().expect("taken on drop only").await
    }

    fn join_or_start(&self, name: &str) -> Lookup {
        let mut in_progress = self.in_progress();
        let running = in_progress.get(name).and_then(WeakShared::upgrade);
        if let Some(lookup) = running.filter(|lookup| lookup.peek().is_none()) {
            return lookup;
        }
        let lookup = resolve_on_thread(self.limit.clone(), name.to_owned()).boxed().shared();
        let weak = lookup.downgrade().expect("not polled yet");
        in_progress.insert(name.into(), weak);
        lookup
    }

    fn in_progress(&self) -> MutexGuard<'_, InProgress> {
        self.in_progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A caller that waits for a lookup. The last one to leave, with or without a result, removes the entry.
struct Waiter<'a> {
    lookups: &'a Lookups,
    name: &'a str,
    lookup: Option<Lookup>,
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        let mut in_progress = self.lookups.in_progress();
        self.lookup = None;
        let running = in_progress.get(self.name).and_then(WeakShared::upgrade);
        if running.is_none_or(|lookup| lookup.peek().is_some()) {
            in_progress.remove(self.name);
        }
    }
}

/// Resolves a name on its own thread, which a caller that gives up does not end.
async fn resolve_on_thread(limit: Arc<LookupLimit>, name: String) -> Found {
    let permit = limit.acquire(&name).await.ok_or_else(|| {
        Unresolved::local_shortage("too many names are being resolved; the system takes long to answer")
    })?;
    let (answer, found) = oneshot::channel();
    let question = move || {
        let found = resolve(&name);
        if found.is_ok() {
            limit.remember(&name);
        }
        drop(permit);
        // The caller may have left.
        let _ = answer.send(found);
    };
    let thread = thread::Builder::new().name("resolve".to_owned()).stack_size(STACK_BYTES).spawn(question);
    thread.map_err(|error| Unresolved::local_shortage(&format!("no thread could be started: {error}")))?;
    found.await.unwrap_or_else(|_| Err(Unresolved::local_shortage("a lookup broke")))
}

fn resolve(name: &str) -> Found {
    let found = (name, 0).to_socket_addrs().map_err(|error| unresolved(&error))?;
    let addresses: Arc<[IpAddr]> = found.map(|address| address.ip()).collect();
    if addresses.is_empty() { Err(Unresolved::name("the name has no address")) } else { Ok(addresses) }
}

fn unresolved(error: &io::Error) -> Unresolved {
    match shortage::behind_lookup(error) {
        Some(shortage) => Unresolved::local_shortage(&shortage.to_string()),
        None => Unresolved::name(&error.to_string()),
    }
}

impl fmt::Debug for Lookups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lookups")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn callers_share_a_lookup_in_progress_and_later_ones_resolve_again() {
        let lookups = Lookups::default();
        // Not polled yet, so still in progress: the system may answer as early as during the first poll.
        let (first, second) = (lookups.join_or_start("localhost"), lookups.join_or_start("localhost"));
        assert!(first.ptr_eq(&second));
        let (first, second) = tokio::join!(first, second);
        let (first, second) = (first.expect("resolves"), second.expect("resolves"));
        assert!(Arc::ptr_eq(&first, &second));
        let later = lookups.find("localhost").await.expect("resolves");
        assert!(!Arc::ptr_eq(&first, &later));
    }

    #[tokio::test]
    async fn no_entry_is_left_whether_callers_leave_early_or_late() {
        let lookups = Lookups::default();
        lookups.find("localhost").await.expect("resolves");
        assert!(lookups.in_progress().is_empty());
        {
            let mut early = Box::pin(lookups.find("localhost"));
            // The system may answer before the first poll returns: then there is nothing left to leave.
            let pending = futures_util::poll!(early.as_mut()).is_pending();
            assert_eq!(lookups.in_progress().len(), usize::from(pending));
        }
        assert!(lookups.in_progress().is_empty());
    }
}
