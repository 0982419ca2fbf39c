//! `hookyard demo`: runs every feature over HTTP, on free ports and in a temporary directory.
//! A result that differs from the documentation ends it with exit code 1.

mod api;
mod delivered;
mod expect;
mod notified;
mod registered;
mod samples;
mod server;
mod signed;
mod survived;
mod transcript;
mod uploaded;

use std::{process::ExitCode, time::Instant};

use platform::supervisor::{Signals, stop_on_signals};
use receiver::Receiver;

use self::{api::Api, server::Server, transcript::Transcript};

/// The code that shells know for Ctrl-C.
const INTERRUPTED: u8 = 130;

/// The state that the steps share.
struct Demo {
    transcript: Transcript,
    api: Api,
    server: Server,
    /// The integrator's application.
    receiver: Receiver,
    /// An application that fails at first.
    failing: Receiver,
    /// A fake Bot API.
    bot_api: Receiver,
}

/// Runs the demo; with `keep` everything keeps running until Ctrl-C.
///
/// # Errors
/// When it can't start. A failed step is reported in the transcript and by the exit code.
pub async fn command(keep: bool) -> anyhow::Result<ExitCode> {
    let started = Instant::now();
    let mut signals = stop_on_signals()?;
    let mut demo = Demo::start(keep).await?;
    let shown = signals.stop.clone().run_until_cancelled_owned(Box::pin(demo.run_steps(started, keep))).await;
    match shown {
        Some(Ok(())) if keep => demo.keep_running(&mut signals).await,
        Some(Ok(())) => {
            demo.shut_down().await?;
            Ok(ExitCode::SUCCESS)
        }
        Some(Err(wrong)) => Ok(demo.fail(&wrong).await),
        None => {
            demo.shut_down().await?;
            Ok(ExitCode::from(INTERRUPTED))
        }
    }
}

impl Demo {
    async fn start(keep: bool) -> anyhow::Result<Self> {
        let (receiver, failing) = (Receiver::start(0).await?, Receiver::start(0).await?);
        let bot_api = notified::bot_api().await?;
        let server = Server::open(&bot_api.url("")).await?;
        let (transcript, api) = (Transcript::new(), Api::new(&server.url)?);
        let demo = Self { transcript, api, server, receiver, failing, bot_api };
        demo.print_header(keep);
        Ok(demo)
    }

    fn print_header(&self, keep: bool) {
        let Self { transcript, server, receiver, .. } = self;
        transcript
            .title("Hookyard: an upload is accepted, a job processes it, a signed webhook is delivered.");
        transcript.step("Start everything in this process");
        transcript.row("API", &server.url);
        transcript.row("dashboard", &server.dashboard);
        transcript.row("receiver", &format!("{}  (represents your application)", receiver.url("")));
        let end = if keep { "until Ctrl-C" } else { "removed at the end" };
        transcript.row("data", &format!("{}  ({end})", server.dir().display()));
    }

    /// Runs every step.
    async fn run_steps(&mut self, started: Instant, keep: bool) -> anyhow::Result<()> {
        let Self { transcript, api, server, receiver, failing, bot_api } = self;
        let webhook = registered::event_types_and_webhook(transcript, api, receiver).await?;
        let files = samples::all(server.dir())?;
        let secret = uploaded::secret(transcript, api, &webhook).await?;
        let answered = uploaded::upload_all(transcript, api, &webhook, &files).await?;
        delivered::delivered(transcript, api, receiver, &files, &secret, answered).await?;
        let delivery = survived::survived(transcript, api, server, failing).await?;
        signed::signed(transcript, api, server, receiver).await?;
        notified::notified(transcript, api, bot_api).await?;
        server.check().await?;
        self.print_next_steps(&delivery, started, keep);
        Ok(())
    }

    fn print_next_steps(&self, delivery: &str, started: Instant, keep: bool) {
        let (transcript, program) = (&self.transcript, program());
        transcript
            .step(&format!("All checks passed in {:.1} s. What next?", started.elapsed().as_secs_f64()));
        if keep {
            transcript.row("see it", &format!("{}/deliveries/{delivery}", self.server.dashboard));
        } else {
            transcript.row("see it", &format!("{program} demo --keep"));
            transcript.row("", "keeps all this running, with the dashboard, for your browser and curl");
        }
        transcript.row("use it", &format!("{program} serve"));
        transcript.row("", "API http://127.0.0.1:8081, dashboard http://127.0.0.1:5555, data in ./data");
        transcript.row("try your own", &format!("{program} listen --secret whsec_…"));
        transcript.row("", "receives webhooks on port 9000, prints them and verifies their signatures");
        transcript
            .row("read", "docs/tutorial.md: these steps with curl; docs/configuration.md: all settings");
        transcript.row("", "docs/README.md: all other documents");
        transcript.blank();
    }

    /// Keeps running until Ctrl-C; a second one ends at once.
    async fn keep_running(mut self, signals: &mut Signals) -> anyhow::Result<ExitCode> {
        let Self { transcript, server, receiver, .. } = &mut self;
        transcript.title("Everything keeps running until Ctrl-C:");
        transcript.row("API", &server.url);
        transcript.row("dashboard", &server.dashboard);
        transcript.row("receiver", &receiver.url(""));
        transcript.row("log", &server.log().display().to_string());
        transcript.blank();
        let broke = tokio::select! {
            () = signals.stop.cancelled() => None,
            failed = server.wait_for_end() => Some(failed),
        };
        if let Some(failed) = broke {
            return Ok(self.fail(&failed).await);
        }
        tokio::select! {
            stopped = self.shut_down() => stopped.map(|()| ExitCode::SUCCESS),
            Ok(second) = &mut signals.second => Ok(ExitCode::from(second.exit_code())),
        }
    }

    /// Stops everything and removes the directory.
    async fn shut_down(self) -> anyhow::Result<()> {
        self.server.close().await?;
        self.receiver.stop().await;
        self.failing.stop().await;
        self.bot_api.stop().await;
        Ok(())
    }

    /// Reports the error and keeps the directory for inspection.
    async fn fail(self, wrong: &anyhow::Error) -> ExitCode {
        self.transcript.cross(&format!("{wrong:#}"));
        let dir = self.server.stop_and_keep_files().await;
        self.transcript.note(&format!("  all files are kept in {}: see hookyard.log", dir.display()));
        ExitCode::FAILURE
    }
}

/// Returns the name by which this program was called, so that printed commands can be typed.
fn program() -> String {
    std::env::args().next().unwrap_or_else(|| "hookyard".to_owned())
}
