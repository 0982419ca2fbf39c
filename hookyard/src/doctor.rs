//! `hookyard doctor`: is everything there that is needed, and is nothing in the database that must not be?
//! Reads by default; changes rows only when it is told to mend.

use std::process::ExitCode;

use domain::{clock::millis, job::QueueName};
use migration::Migrator;
use platform::{
    config::{Config, EXIT_CODE, Role, environment},
    context::Context,
    database::{DatabaseError, DatabaseUrl},
    telemetry::Telemetry,
};
use sea_orm_migration::{
    MigratorTrait,
    sea_orm::{ConnectionTrait, Statement},
};
use worker::doctor::{CHECKS, Finding, examine};

/// A process whose last heartbeat is older does not count.
const ALIVE: std::time::Duration = std::time::Duration::from_secs(15);

/// What the doctor says, line by line, and whether all is well.
struct Report {
    well: bool,
}

impl Report {
    fn good(name: &str, what: &str) {
        println!("ok     {name:<20} {what}");
    }

    fn bad(&mut self, name: &str, what: &str) {
        self.well = false;
        println!("BAD    {name:<20} {what}");
    }
}

/// `hookyard doctor`: exit code 0 when all is well, 1 when not, 2 for wrong settings.
///
/// # Errors
/// When the database can't be reached.
pub async fn command(mend: bool) -> anyhow::Result<ExitCode> {
    let config = match Config::load(Role::AllInOne, environment) {
        Ok(config) => config,
        Err(wrong) => {
            eprintln!("{wrong}");
            return Ok(ExitCode::from(EXIT_CODE));
        }
    };
    let mut report = Report { well: true };
    if let DatabaseUrl::Sqlite(path) = &config.database_url
        && !path.exists()
    {
        report.bad("database", &format!("{} does not exist: `hookyard serve` makes it", path.display()));
        return Ok(ExitCode::FAILURE);
    }
    let context = Context::connect(config, Telemetry::install()?).await?;
    look_around(&context, &mut report).await?;
    if report.well {
        examine_rows(&context, mend, &mut report).await?;
    }
    Ok(if report.well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What is needed before any row can be looked at.
async fn look_around(context: &Context, report: &mut Report) -> anyhow::Result<()> {
    Report::good("settings", "");
    context.database.ping().await?;
    Report::good("database", "");
    match Migrator::get_pending_migrations(context.database.writer()).await?.len() {
        0 => Report::good("schema", "up to date"),
        missing => report.bad("schema", &format!("{missing} migrations missing: run `hookyard migrate up`")),
    }
    if context.config.redis_url.is_some() {
        match context.queue.depth(QueueName::Deliveries).await {
            Ok(depth) => Report::good("queue", &format!("{depth} ids wait")),
            Err(error) => report.bad("queue", &format!("{error}; workers work from the database meanwhile")),
        }
    }
    Ok(())
}

async fn examine_rows(context: &Context, mend: bool, report: &mut Report) -> Result<(), DatabaseError> {
    Report::good("processes", &format!("{} alive", alive(context).await?));
    let findings = examine(context, mend).await?;
    for check in CHECKS {
        match findings.iter().find(|finding| finding.check == check) {
            None => Report::good(check.name, ""),
            Some(finding) if finding.mended >= finding.rows => {
                Report::good(check.name, &format!("mended {} rows: {}", finding.mended, check.meaning));
            }
            Some(finding) => report.bad(check.name, &told(finding)),
        }
    }
    Ok(())
}

fn told(Finding { check, rows, mended }: &Finding) -> String {
    let mended = if *mended > 0 { format!(", {mended} of them mended") } else { String::new() };
    format!("{rows} rows{mended}: {}", check.meaning)
}

async fn alive(context: &Context) -> Result<i64, DatabaseError> {
    let db = context.database.reader();
    let since = context.database.now(&context.clock).await?.0.saturating_sub(millis(ALIVE));
    let sql = "SELECT count(*) AS alive FROM process WHERE seen_at > $1";
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, [since.into()]);
    let row = db.query_one_raw(statement).await?;
    Ok(row.map(|row| row.try_get("", "alive")).transpose()?.unwrap_or(0))
}
