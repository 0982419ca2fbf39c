//! The recorded durations.

use super::{receiver::Receiver, *};

pub(crate) async fn a_connection_is_kept_and_its_times_are_told_apart<S: Subject>() {
    let receiver = Receiver::answering(ok::<S>()).await;
    let (subject, url) = (S::over(outbound()), receiver.url_at("http", "localhost"));
    let first = subject.send(&url, PATIENT).await.timing;
    let second = subject.send(&url, PATIENT).await.timing;

    assert_eq!(receiver.connections(), 1);
    assert!(first.resolve.is_some() && first.connect.is_some(), "{first:?}");
    assert!(first.first_byte.expect("answered") <= first.total);
    assert!(first.resolve.unwrap_or_default() + first.connect.unwrap_or_default() <= first.total);
    assert_eq!((second.resolve, second.connect), (None, None), "a reused connection");
    assert!(second.first_byte.is_some());
}

pub(crate) async fn a_literal_address_has_no_time_of_resolution<S: Subject>() {
    let timing = send::<S>(Receiver::answering(ok::<S>()).await.url()).await.timing;
    assert_eq!(timing.resolve, None);
    assert!(timing.connect.is_some());
}
