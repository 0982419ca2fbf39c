//! Cuts what waits into transactions of bounded size, in order.

/// Most bytes that one transaction writes, unless a single entry is larger.
pub(super) const TRANSACTION_BYTES: usize = 16 * 1024 * 1024;

/// The items in order, in portions that together weigh at most `limit`; an item above it is a portion of its own.
pub(super) fn portions<T>(items: Vec<T>, limit: usize, weight: impl Fn(&T) -> usize) -> Vec<Vec<T>> {
    let mut portions = Vec::new();
    let (mut portion, mut weighs) = (Vec::new(), 0_usize);
    for item in items {
        let more = weight(&item);
        if weighs.saturating_add(more) > limit && !portion.is_empty() {
            portions.push(std::mem::take(&mut portion));
            weighs = 0;
        }
        weighs = weighs.saturating_add(more);
        portion.push(item);
    }
    if !portion.is_empty() {
        portions.push(portion);
    }
    portions
}

#[cfg(test)]
mod tests {
    use super::portions;

    #[test]
    fn a_portion_weighs_the_limit_at_most_and_keeps_the_order() {
        let of = |items: &[usize]| portions(items.to_vec(), 10, |item| *item);
        assert_eq!(of(&[]), Vec::<Vec<usize>>::new());
        assert_eq!(of(&[4, 6]), [vec![4, 6]]);
        assert_eq!(of(&[4, 7]), [vec![4], vec![7]]);
        assert_eq!(of(&[11, 1, 9, 1, 0]), [vec![11], vec![1, 9], vec![1, 0]]);
        assert_eq!(of(&[usize::MAX, usize::MAX]), [vec![usize::MAX], vec![usize::MAX]]);
    }
}
