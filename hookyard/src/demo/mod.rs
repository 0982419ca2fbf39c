//! `hookyard demo`: the whole path on free ports and in a temporary directory, each step really done over HTTP.
//! What differs from what was promised ends it with exit code 1.

mod api;
mod delivered;
mod house;
mod notified;
mod registered;
mod samples;
mod screen;
mod signed;
mod survived;
mod uploaded;

use std::{path::Path, process::ExitCode, time::Instant};

use anyhow::bail;
use platform::supervisor::{Signals, stop_on_signals};
use receiver::Receiver;

use self::{api::Api, house::House, screen::Screen};

/// The code that shells know for Ctrl-C.
const INTERRUPTED: u8 = 130;

/// What the steps share.
struct Stage {
    screen: Screen,
    api: Api,
    house: House,
    /// Stands for the integrator's application.
    receiver: Receiver,
    /// Another one, which fails at first.
    failing: Receiver,
    /// Stands for Telegram's Bot API.
    bot_api: Receiver,
}

/// Shows the whole path; with `keep` everything runs on until Ctrl-C.
///
/// # Errors
/// What kept it from starting. A step that fails is told on the screen and by the exit code.
pub async fn command(keep: bool) -> anyhow::Result<ExitCode> {
    let started = Instant::now();
    let mut signals = stop_on_signals()?;
    let mut stage = Stage::set(keep).await?;
    let shown = signals.stop.clone().run_until_cancelled_owned(Box::pin(stage.show(started, keep))).await;
    match shown {
        Some(Ok(())) if keep => stage.keep(&mut signals).await,
        Some(Ok(())) => {
            stage.strike().await?;
            Ok(ExitCode::SUCCESS)
        }
        Some(Err(wrong)) => Ok(stage.fail(&wrong).await),
        None => {
            stage.strike().await?;
            Ok(ExitCode::from(INTERRUPTED))
        }
    }
}

impl Stage {
    async fn set(keep: bool) -> anyhow::Result<Self> {
        let (receiver, failing) = (Receiver::start(0).await?, Receiver::start(0).await?);
        let bot_api = notified::bot_api().await?;
        let house = House::open(&bot_api.url("")).await?;
        let (screen, api) = (Screen::new(), Api::new(&house.url)?);
        let stage = Self { screen, api, house, receiver, failing, bot_api };
        stage.introduce(keep);
        Ok(stage)
    }

    fn introduce(&self, keep: bool) {
        let Self { screen, house, receiver, .. } = self;
        screen.title("Hookyard: an upload is accepted, a job processes it, a signed webhook is delivered.");
        screen.step("Start everything in this process");
        screen.row("API", &house.url);
        screen.row("dashboard", &house.dashboard);
        screen.row("receiver", &format!("{}  (represents your application)", receiver.url("")));
        let end = if keep { "until Ctrl-C" } else { "removed at the end" };
        screen.row("data", &format!("{}  ({end})", house.dir().display()));
    }

    /// Every step, while the house stands.
    async fn show(&mut self, started: Instant, keep: bool) -> anyhow::Result<()> {
        let Self { screen, api, house, receiver, failing, bot_api } = self;
        let webhook = registered::event_types_and_webhook(screen, api, receiver).await?;
        let files = samples::all(house.dir())?;
        let secret = uploaded::secret(screen, api, &webhook).await?;
        let answered = uploaded::upload_all(screen, api, &webhook, &files).await?;
        delivered::delivered(screen, api, receiver, &files, &secret, answered).await?;
        let delivery = survived::survived(screen, api, house, failing).await?;
        signed::signed(screen, api, house, receiver).await?;
        notified::notified(screen, api, bot_api).await?;
        house.check().await?;
        self.farewell(&delivery, started, keep);
        Ok(())
    }

    fn farewell(&self, delivery: &str, started: Instant, keep: bool) {
        let (screen, program) = (&self.screen, program());
        screen.step(&format!("All checks passed in {:.1} s. What next?", started.elapsed().as_secs_f64()));
        if keep {
            screen.row("see it", &format!("{}/deliveries/{delivery}", self.house.dashboard));
        } else {
            screen.row("see it", &format!("{program} demo --keep"));
            screen.row("", "keeps all this running, with the dashboard, for your browser and curl");
        }
        screen.row("use it", &format!("{program} serve"));
        screen.row("", "API http://127.0.0.1:8081, dashboard http://127.0.0.1:5555, data in ./data");
        screen.row("try your own", &format!("{program} listen --secret whsec_…"));
        screen.row("", "receives webhooks on port 9000, prints them and verifies their signatures");
        screen.row("read", "docs/tutorial.md: these steps with curl; docs/configuration.md: all settings");
        screen.row("", "docs/README.md: all other documents");
        screen.blank();
    }

    /// Runs on until Ctrl-C; a second one ends at once.
    async fn keep(mut self, signals: &mut Signals) -> anyhow::Result<ExitCode> {
        let Self { screen, house, receiver, .. } = &mut self;
        screen.title("Everything keeps running until Ctrl-C:");
        screen.row("API", &house.url);
        screen.row("dashboard", &house.dashboard);
        screen.row("receiver", &receiver.url(""));
        screen.row("log", &house.log().display().to_string());
        screen.blank();
        let broke = tokio::select! {
            () = signals.stop.cancelled() => None,
            failed = house.ended() => Some(failed),
        };
        if let Some(failed) = broke {
            return Ok(self.fail(&failed).await);
        }
        tokio::select! {
            struck = self.strike() => struck.map(|()| ExitCode::SUCCESS),
            Ok(second) = &mut signals.second => Ok(ExitCode::from(second.exit_code())),
        }
    }

    /// Stops everything and removes the directory.
    async fn strike(self) -> anyhow::Result<()> {
        self.house.close().await?;
        self.receiver.stop().await;
        self.failing.stop().await;
        self.bot_api.stop().await;
        Ok(())
    }

    /// Says what went wrong, and leaves the directory for a look.
    async fn fail(self, wrong: &anyhow::Error) -> ExitCode {
        self.screen.cross(&format!("{wrong:#}"));
        let dir = self.house.leave().await;
        self.screen.note(&format!("  all files are kept in {}: see hookyard.log", dir.display()));
        ExitCode::FAILURE
    }
}

/// An error that says what was expected, unless the two are the same.
fn same<T: PartialEq + std::fmt::Display>(what: &str, expected: T, found: T) -> anyhow::Result<()> {
    if expected != found {
        bail!("{what}: expected {expected}, got {found}");
    }
    Ok(())
}

/// How this program was called, so that what is printed can be typed.
fn program() -> String {
    std::env::args().next().unwrap_or_else(|| "hookyard".to_owned())
}

/// A path's last part, for people.
fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}
