//! Cuts what waits into transactions of bounded size, in order, and keeps those whose turn comes later.

use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
};

/// Most bytes that one transaction writes, unless a single entry is larger.
pub(super) const TRANSACTION_BYTES: usize = 16 * 1024 * 1024;
/// What a delivery counts in it: its row is small, but 2,048 take some 50 ms to write, and others wait meanwhile.
pub(super) const DELIVERY_BYTES: usize = 8 * 1024;

/// Chunks that wait for their turn. Those that came together keep their order; between groups they take turns.
pub(super) struct Deferred<T> {
    groups: VecDeque<VecDeque<T>>,
}

impl<T> Default for Deferred<T> {
    fn default() -> Self {
        Self { groups: VecDeque::new() }
    }
}

impl<T> Deferred<T> {
    pub(super) fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// Adds chunks that came together.
    pub(super) fn add(&mut self, chunks: Vec<T>) {
        if !chunks.is_empty() {
            self.groups.push_back(chunks.into());
        }
    }

    /// The first chunk of the group whose turn it is.
    pub(super) fn next(&mut self) -> Option<T> {
        let mut group = self.groups.pop_front()?;
        let chunk = group.pop_front();
        if !group.is_empty() {
            self.groups.push_back(group);
        }
        chunk
    }
}

/// The items in chunks that together weigh at most `limit`; an item above it is a chunk of its own. Where there are
/// several chunks, owners take turns by weight, so that one with few items is not behind one with many. Each owner's items
/// keep their order.
pub(super) fn chunks<T, Owner: Eq + Hash>(
    items: Vec<T>,
    limit: usize,
    weight: impl Fn(&T) -> usize,
    owner: impl Fn(&T) -> Owner,
) -> Vec<Vec<T>> {
    let mut weighed: Vec<(usize, T)> = items.into_iter().map(|item| (weight(&item), item)).collect();
    if weighed.iter().fold(0, |sum: usize, (weight, _)| sum.saturating_add(*weight)) > limit {
        weighed = in_turn(weighed, owner);
    }
    cut(weighed, limit)
}

fn in_turn<T, Owner: Eq + Hash>(weighed: Vec<(usize, T)>, owner: impl Fn(&T) -> Owner) -> Vec<(usize, T)> {
    let mut before: HashMap<Owner, usize> = HashMap::new();
    let behind = |(weight, item): (usize, T)| {
        let sum = before.entry(owner(&item)).or_insert(0);
        let behind = *sum;
        *sum = sum.saturating_add(weight);
        (behind, (weight, item))
    };
    let mut items: Vec<_> = weighed.into_iter().map(behind).collect();
    items.sort_by_key(|(behind, _)| *behind);
    items.into_iter().map(|(_, item)| item).collect()
}

fn cut<T>(items: Vec<(usize, T)>, limit: usize) -> Vec<Vec<T>> {
    let mut chunks = Vec::new();
    let (mut chunk, mut weighs) = (Vec::new(), 0_usize);
    for (more, item) in items {
        if weighs.saturating_add(more) > limit && !chunk.is_empty() {
            chunks.push(std::mem::take(&mut chunk));
            weighs = 0;
        }
        weighs = weighs.saturating_add(more);
        chunk.push(item);
    }
    if !chunk.is_empty() {
        chunks.push(chunk);
    }
    chunks
}

#[cfg(test)]
mod tests {
    use super::{Deferred, chunks};

    #[test]
    fn owners_take_turns_when_all_is_too_much_for_one_chunk() {
        let of =
            |items: &[(u8, usize)]| chunks(items.to_vec(), 10, |(_, weight)| *weight, |(owner, _)| *owner);
        assert_eq!(of(&[(1, 4), (1, 4), (2, 2)]), [vec![(1, 4), (1, 4), (2, 2)]], "all at once: as it came");
        let large = [(1, 6), (1, 6), (1, 6), (2, 3), (2, 3), (3, 1)];
        let turns = [vec![(1, 6), (2, 3), (3, 1)], vec![(2, 3), (1, 6)], vec![(1, 6)]];
        assert_eq!(of(&large), turns);
    }

    #[test]
    fn groups_take_turns_and_keep_their_own_order() {
        let mut deferred = Deferred::default();
        deferred.add(vec![]);
        assert!(deferred.is_empty());
        deferred.add(vec![1, 2, 3]);
        deferred.add(vec![10, 20]);
        let mut order = vec![deferred.next()];
        deferred.add(vec![100]);
        order.extend(std::iter::from_fn(|| Some(deferred.next())).take(6));
        assert_eq!(order, [Some(1), Some(10), Some(2), Some(100), Some(20), Some(3), None]);
        assert!(deferred.is_empty());
    }

    #[test]
    fn a_chunk_weighs_the_limit_at_most_and_keeps_the_order() {
        let of = |items: &[usize]| chunks(items.to_vec(), 10, |item| *item, |_| ());
        assert_eq!(of(&[]), Vec::<Vec<usize>>::new());
        assert_eq!(of(&[4, 6]), [vec![4, 6]]);
        assert_eq!(of(&[4, 7]), [vec![4], vec![7]]);
        assert_eq!(of(&[11, 1, 9, 1, 0]), [vec![11], vec![1, 9], vec![1, 0]]);
        assert_eq!(of(&[usize::MAX, usize::MAX]), [vec![usize::MAX], vec![usize::MAX]]);
    }
}
