//! What the programs refuse to start with, and how they say so.

use std::time::Duration;

use testkit::{process::Launch, servers::OwnPostgres};

use crate::{
    cluster::{Cluster, SECRET_KEY},
    one_machine::OneMachine,
    programs,
};

const ENDS_WITHIN: Duration = Duration::from_secs(20);
const WRONG_SETTINGS: Option<i32> = Some(2);
const PROGRAMS: [&str; 3] = ["hookyard", "hookyard-api", "hookyard-worker"];

fn bare(program: &str, folder: &tempfile::TempDir) -> Launch {
    let path = if program == "hookyard" { programs::hookyard() } else { programs::other(program) };
    Launch::new(&path, folder.path(), program)
}

/// With everything that API and worker need; nothing of it is reached.
fn complete(program: &str, folder: &tempfile::TempDir) -> Launch {
    bare(program, folder)
        .set("DATABASE_URL", "postgres://nobody@127.0.0.1:1/nothing")
        .set("REDIS_URL", "redis://127.0.0.1:1")
        .set("SECRET_KEY", SECRET_KEY)
        .set("WEBHOOK_SECRET", "a secret of the drills, long enough")
}

#[tokio::test]
async fn api_and_worker_refuse_a_database_that_is_behind_until_it_is_migrated() {
    let (postgres, cluster) = (OwnPostgres::start().await, Cluster::new().await);
    let behind = |program: &str| cluster.launch(program, program).set("DATABASE_URL", postgres.url());
    for program in ["hookyard-api", "hookyard-worker"] {
        let ended = behind(program).run(ENDS_WITHIN).await;
        println!("{program}: {}", ended.output.trim());
        assert_eq!(ended.code, Some(1), "{}", ended.output);
        assert!(ended.output.contains("the database is behind (migrations missing: "), "{}", ended.output);
    }
    let migrate = async |direction: &str| {
        behind("hookyard").argument("migrate").argument(direction).run(ENDS_WITHIN).await
    };
    assert_eq!(migrate("up").await.code, Some(0));
    let status = migrate("status").await;
    println!("hookyard migrate status: {}", status.output.trim());
    assert!(status.output.contains("applied") && !status.output.contains("pending  "), "{}", status.output);
    let _worker = behind("hookyard-worker").start();
    let rows = testkit::rows::Rows::Postgres(postgres.url());
    let beat = async || (rows.number("SELECT count(*) FROM process").await > 0).then_some(());
    testkit::wait::until("the worker's heartbeat", ENDS_WITHIN, beat).await;
}

#[tokio::test]
async fn every_wrong_setting_is_named_and_the_exit_code_is_2() {
    for program in PROGRAMS {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let ended = complete(program, &folder)
            .set("DELIVERY_TIMEOUT", "600s")
            .set("DATABASE_URL", "mysql://root:hunter2@db/x")
            .set("SEND_SLOTS", "0")
            .set("LOG_FORMAT", "xml")
            .run(ENDS_WITHIN)
            .await;
        println!("{program}:\n{}", ended.output.trim());
        assert_eq!(ended.code, WRONG_SETTINGS, "{program}");
        for name in ["DELIVERY_TIMEOUT: ", "DATABASE_URL: ", "SEND_SLOTS: ", "LOG_FORMAT: "] {
            let lines = ended.output.lines().filter(|line| line.starts_with(name));
            assert_eq!(lines.count(), 1, "{program}: one line for {name}");
        }
        assert!(!ended.output.contains("hunter2"), "a password was shown");
    }
}

#[tokio::test]
async fn api_and_worker_say_all_that_they_need() {
    for (program, needs) in [
        ("hookyard-api", &["DATABASE_URL", "REDIS_URL", "WEBHOOK_SECRET", "SECRET_KEY"][..]),
        ("hookyard-worker", &["DATABASE_URL", "REDIS_URL", "SECRET_KEY"]),
    ] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let ended = bare(program, &folder).run(ENDS_WITHIN).await;
        println!("{program}:\n{}", ended.output.trim());
        assert_eq!(ended.code, WRONG_SETTINGS, "{program}");
        let named: Vec<&str> = ended.output.lines().filter_map(|line| line.split(": ").next()).collect();
        assert_eq!(named, needs, "{program}");
    }
}

#[tokio::test]
async fn a_public_address_without_a_key_is_refused_with_a_sentence_on_what_to_set() {
    for (program, setting) in [
        ("hookyard", "API_ADDR"),
        ("hookyard", "DASHBOARD_ADDR"),
        ("hookyard-api", "API_ADDR"),
        ("hookyard-worker", "DASHBOARD_ADDR"),
    ] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let port = testkit::servers::free_port();
        let ended = complete(program, &folder).set(setting, format!("0.0.0.0:{port}")).run(ENDS_WITHIN).await;
        println!("{program} on a public {setting}: {}", ended.output.trim());
        assert_eq!(ended.code, WRONG_SETTINGS, "{program} {setting}");
        assert!(ended.output.starts_with(&format!("{setting}: ")), "{}", ended.output);
        assert!(ended.output.contains("ADMIN_API_KEY") && ended.output.contains("ALLOW_UNAUTHENTICATED"));
    }
    // With a key, or asked for by name, it starts.
    for (name, value) in [("ADMIN_API_KEY", "0123456789abcdef"), ("ALLOW_UNAUTHENTICATED", "true")] {
        let machine = OneMachine::new();
        let public = machine.launch("public").set("API_ADDR", format!("0.0.0.0:{}", machine.api_port()));
        let process = machine.start_as(&public.set(name, value)).await;
        let warned = process.lines_with("NO KEY IS REQUIRED");
        assert_eq!(warned, usize::from(name == "ALLOW_UNAUTHENTICATED"), "{}", process.log());
    }
}
