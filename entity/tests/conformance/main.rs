//! The conformance suite: each public query of `entity` does the same on SQLite and on Postgres. `coverage` lists which test
//! runs which module; where that is another test, it runs on both databases, too.

mod accounts;
mod coverage;
mod deliveries;
mod endpoints;
mod leases;
mod messages;
mod notifications;
mod replays;
#[allow(dead_code, reason = "other tests use more of it")]
#[path = "../../../dashboard/tests/harness/rows.rs"]
mod rows;
mod work;

use std::time::Duration;

use entity::{
    sql_builder::SqlBuilder,
    time_limited::{self, Found},
};
use testkit::TestApp;

/// Longer than any statement of a story takes.
const LONG: Duration = Duration::from_secs(30);

/// The rows of a statement that the caller builds.
async fn read<Row: Found>(app: &TestApp, query: &SqlBuilder) -> Vec<Row> {
    time_limited::read(&app.context.database, &app.clock, query, LONG).await.expect("rows")
}
