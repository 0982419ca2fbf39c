//! `hookyard doctor`: checks the environment and looks for invariant violations in the database.
//! Reads by default; changes rows only when asked to repair.

use std::process::ExitCode;

use domain::job::QueueName;
use entity::process::queries::alive;
use migration::runner::pending;
use platform::{
    config::{Config, Role, environment},
    context::Context,
    database::{DatabaseError, DatabaseUrl},
    telemetry::Telemetry,
};
use worker::doctor::{CHECKS, Finding, examine};

/// Prints the findings line by line, and remembers whether all is well.
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
        Err(wrong) => return Ok(wrong.report()),
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

/// Checks what is needed before any row can be read.
async fn look_around(context: &Context, report: &mut Report) -> anyhow::Result<()> {
    Report::good("settings", "");
    context.database.ping().await?;
    Report::good("database", "");
    match pending(context.database.writer()).await?.len() {
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
    let now = context.database.now(&context.clock).await?;
    Report::good("processes", &format!("{} alive", alive(&context.database, now).await?));
    let findings = examine(context, mend).await?;
    for check in CHECKS {
        match findings.iter().find(|finding| finding.check == check) {
            None => Report::good(check.name, ""),
            Some(finding) if finding.mended >= finding.rows => {
                Report::good(check.name, &format!("mended {} rows: {}", finding.mended, check.meaning));
            }
            Some(finding) => report.bad(check.name, &describe(finding)),
        }
    }
    Ok(())
}

fn describe(Finding { check, rows, mended }: &Finding) -> String {
    let mended = if *mended > 0 { format!(", {mended} of them mended") } else { String::new() };
    format!("{rows} rows{mended}: {}", check.meaning)
}
