//! Runs all of Hookyard in a test, on either shape, driven step by step: nothing is sent until [`TestApp::drain`].

mod drive;
mod probe;
pub mod publish;
mod shape;
mod start;
mod work;

use platform::{clock::Clock, context::Context};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use probe::DeliveryView;
pub use shape::Shape;
pub use work::Working;

use crate::database::Throwaway;

/// A Hookyard instance for one test.
pub struct TestApp {
    /// The resources that its services share.
    pub context: Context,
    /// The clock that moves its time.
    pub clock: Clock,
    /// A client for its API.
    pub http: reqwest::Client,
    /// The base URL of its API: `http://127.0.0.1:…`.
    pub base: String,
    /// Accepts work without HTTP.
    pub accept: api::accept::Accept,
    stop: CancellationToken,
    running: JoinHandle<()>,
    // Dropped last: the services hold connections.
    _database: Throwaway,
    _folder: tempfile::TempDir,
}

impl Drop for TestApp {
    fn drop(&mut self) {
        self.stop.cancel();
        self.running.abort();
    }
}

/// Runs the same test on SQLite + memory and on Postgres + Redis.
#[macro_export]
macro_rules! on_both_shapes {
    ($($(#[$meta:meta])* async fn $name:ident($app:ident: TestApp) $body:block)+) => {$(
        mod $name {
            #[allow(unused_imports, reason = "stories differ in what they use")]
            use super::*;

            async fn story($app: $crate::TestApp) $body

            $(#[$meta])*
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn embedded() {
                story($crate::TestApp::start($crate::Shape::Embedded).await).await;
            }

            $(#[$meta])*
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn cluster() {
                story($crate::TestApp::start($crate::Shape::Cluster).await).await;
            }
        }
    )+};
}
