//! The states of a rate limit by address, bounded in number. The stores of `governor` grow with every address that comes;
//! this one shares one state between those beyond the bound.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use governor::{nanos::Nanos, state::StateStore};

/// For each address the time at which its burst is whole again; `None` stands for all addresses beyond the bound. Clones
/// share them.
#[derive(Clone)]
pub(super) struct States {
    most: usize,
    interval: Nanos,
    whole_at: Arc<Mutex<HashMap<Option<IpAddr>, Nanos>>>,
}

impl States {
    pub(super) fn new(most: usize, interval: Nanos) -> Self {
        Self { most, interval, whole_at: Arc::default() }
    }

    pub(super) fn forget(&self, address: IpAddr) {
        self.lock().remove(&Some(address));
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Option<IpAddr>, Nanos>> {
        self.whole_at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StateStore for States {
    type Key = IpAddr;

    fn measure_and_replace<T, F, E>(&self, address: &IpAddr, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut whole_at = self.lock();
        let is_known = |all: &HashMap<_, _>| all.contains_key(&Some(*address));
        if whole_at.len() >= self.most && !is_known(&whole_at) {
            // A first request is always allowed, and its state lies one interval ahead: that tells what time it is.
            let (_, one_interval_ahead) = decide(None)?;
            whole_at.retain(|_, at| *at + self.interval > one_interval_ahead);
        }
        let key = Some(*address).filter(|_| whole_at.len() < self.most || is_known(&whole_at));
        let (allowed, state) = decide(whole_at.get(&key).copied())?;
        whole_at.insert(key, state);
        Ok(allowed)
    }
}
