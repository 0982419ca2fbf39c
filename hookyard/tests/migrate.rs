//! Migrations beside running processes: they have no time limit, and no other session waits long for their locks.

use std::time::Duration;

use domain::notification::UNPROVEN_PUSH_LANE;
use hookyard::migrate::{Direction, run, run_with};
use platform::database::{Database, DatabaseUrl};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, PgPool};
use testkit::database::Throwaway;
use tokio::{sync::mpsc, time::timeout};

/// Longest wait for anything; only a failing test waits so long.
const PATIENCE: Duration = Duration::from_secs(60);
/// Far less than the statement timeout of those who work.
const SOON: Duration = Duration::from_secs(10);

struct Postgres {
    throwaway: Throwaway,
    database: Database,
    url: DatabaseUrl,
}

impl Postgres {
    /// One step behind.
    async fn behind() -> Self {
        let throwaway = Throwaway::postgres().await.expect("a database");
        let url = DatabaseUrl::Postgres(throwaway.url.clone());
        let database = Database::connect(&url).await.expect("connected");
        run(&database, &url, Direction::Down).await.expect("a step back");
        Self { throwaway, database, url }
    }

    async fn session(&self) -> PgConnection {
        PgConnection::connect(&self.throwaway.url).await.expect("a session")
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_in_use_delays_only_the_migration() {
    let postgres = Postgres::behind().await;
    let mut reader = postgres.session().await;
    reader.execute("BEGIN; LOCK TABLE push_subscription IN ACCESS SHARE MODE").await.expect("it reads");

    let (lines, mut reported) = mpsc::unbounded_channel();
    let migrating = tokio::spawn({
        let (database, url) = (postgres.database.clone(), postgres.url.clone());
        async move { run_with(&database, &url, Direction::Up, &|line| drop(lines.send(line.to_owned()))).await }
    });
    let mut next = async || timeout(PATIENCE, reported.recv()).await.expect("in time").expect("a line");
    assert!(next().await.ends_with(": begins"));
    let mut others = postgres.session().await;
    for _ in 0..2 {
        let count =
            sqlx::query_scalar::<_, i64>("SELECT count(*) FROM push_subscription").fetch_one(&mut others);
        timeout(SOON, count).await.expect("others are not held up").expect("counted");
        assert!(next().await.contains("a table is in use; trying again"));
    }
    reader.execute("ROLLBACK").await.expect("it ends");
    timeout(PATIENCE, migrating).await.expect("in time").expect("an end").expect("migrated");
    assert!(next().await.contains(": done after "));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn migrations_have_no_statement_timeout_and_a_short_one_for_locks() {
    let throwaway = Throwaway::postgres().await.expect("a database");
    let pool: PgPool = Database::connect_for_migrations(&throwaway.url).await.expect("connected");
    for (setting, value) in
        [("statement_timeout", "0"), ("idle_in_transaction_session_timeout", "0"), ("lock_timeout", "1s")]
    {
        let show = AssertSqlSafe(format!("SHOW {setting}"));
        let shown: String = sqlx::query_scalar(show).fetch_one(&pool).await.expect("shown");
        assert_eq!(shown, value, "{setting}");
    }
}

/// Dropped wherever it stands: the lock that keeps others out goes with it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_migration_that_is_broken_off_leaves_no_lock_behind() {
    let postgres = Postgres::behind().await;
    let mut reader = postgres.session().await;
    reader.execute("BEGIN; LOCK TABLE push_subscription IN ACCESS SHARE MODE").await.expect("it reads");
    let migrating = run(&postgres.database, &postgres.url, Direction::Up);
    let broken_off = timeout(Duration::from_secs(2), migrating);
    assert!(broken_off.await.is_err(), "it waits for the reader");
    reader.execute("ROLLBACK").await.expect("it ends");
    let again = run(&postgres.database, &postgres.url, Direction::Up);
    timeout(PATIENCE, again).await.expect("no session holds the lock").expect("migrated");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_at_once_one_waits_for_the_other() {
    let postgres = Postgres::behind().await;
    let migrate = || run(&postgres.database, &postgres.url, Direction::Up);
    let (one, other) = tokio::join!(migrate(), migrate());
    one.expect("migrated");
    other.expect("nothing was left");
}

/// Two push services, one that has taken a message and one that never did, with a delivery that waits for each.
const SUBSCRIBED: &str = "
    INSERT INTO lane (id, channel, succeeded_at) VALUES
        ('00000000-0000-0000-0000-00000000000a', 'web_push', 5), ('00000000-0000-0000-0000-00000000000b', 'web_push', 0);
    INSERT INTO push_subscription (id, endpoint, lane_id, p256dh, auth, created_at, updated_at)
    SELECT id, 'https://' || id, id, '', '', 1, 2 FROM lane WHERE channel = 'web_push';
    INSERT INTO delivery (id, event_id, lane_id, channel, recipient_id, created_at, due_at)
    SELECT id, id, id, 'web_push', id, 1, 1 FROM lane WHERE channel = 'web_push'";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn push_services_that_never_took_a_message_move_to_the_shared_lane_and_back() {
    let postgres = Postgres::behind().await;
    let mut session = postgres.session().await;
    session.execute(SUBSCRIBED).await.expect("rows");
    let lanes = "SELECT lane_id::text FROM delivery ORDER BY id";
    let (proven, unproven) = ("00000000-0000-0000-0000-00000000000a", "00000000-0000-0000-0000-00000000000b");
    for direction in [Direction::Up, Direction::Down, Direction::Up] {
        let is_up = direction == Direction::Up;
        run(&postgres.database, &postgres.url, direction).await.expect("migrated");
        let shared = UNPROVEN_PUSH_LANE.to_string();
        let lanes: Vec<String> = sqlx::query_scalar(lanes).fetch_all(&mut session).await.expect("lanes");
        assert_eq!(lanes, [proven, if is_up { &shared } else { unproven }]);
        let exists = "SELECT id::text FROM lane ORDER BY id";
        let exists: Vec<String> = sqlx::query_scalar(exists).fetch_all(&mut session).await.expect("lanes");
        assert_eq!(exists, [proven, if is_up { &shared } else { unproven }]);
    }
    // One whose subscription is gone stays on the shared lane, and the next step up finds that.
    session.execute("DELETE FROM push_subscription WHERE reached_at IS NULL").await.expect("deleted");
    for direction in [Direction::Down, Direction::Up] {
        run(&postgres.database, &postgres.url, direction).await.expect("migrated");
    }
    let reached = "SELECT reached_at FROM push_subscription ORDER BY id";
    let reached: Vec<Option<i64>> = sqlx::query_scalar(reached).fetch_all(&mut session).await.expect("rows");
    assert_eq!(reached, [Some(2)]);
}
