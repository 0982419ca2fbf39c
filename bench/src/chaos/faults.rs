//! How each fault is made and unmade.

use std::{fs, time::Duration};

use anyhow::{Context as _, Result};
use testkit::{
    process::Signal,
    servers::{OwnPostgres, OwnRedis},
};

use super::schedule::Fault;
use crate::{
    receiver::Receiver,
    rig::{Program, Rig},
};

const SLOW: Duration = Duration::from_millis(700);
/// The worker that faults meet; the other takes over.
const VICTIM: Program = Program::Worker(0);
const FILES: &str = "files";
const FILES_AWAY: &str = "files.away";

/// What can break.
pub(super) struct Scene {
    pub(super) rig: Rig,
    pub(super) receiver: Receiver,
    /// How far the database's clock was moved, in ms.
    pub(super) clock_ms: i64,
}

impl Scene {
    /// Makes the fault.
    pub(super) async fn begin(&mut self, fault: Fault) -> Result<()> {
        match fault {
            Fault::KillApi => self.rig.kill(Program::Api),
            Fault::KillWorker => self.rig.kill(VICTIM),
            Fault::PauseWorker => self.rig.signal(VICTIM, Signal::SIGSTOP),
            Fault::KillRedis => self.redis()?.kill(),
            Fault::FlushRedis => self.redis()?.flush().await,
            Fault::PauseRedis => self.redis()?.pause(),
            Fault::KillPostgres => self.postgres()?.kill(),
            Fault::PausePostgres => self.postgres()?.pause(),
            Fault::ClockForward => self.move_clock(60_000).await,
            Fault::ClockBack => self.move_clock(-5_000).await,
            Fault::ReceiverDown => self.receiver.go_away().await,
            Fault::ReceiverSlow => self.receiver.delay(SLOW),
            Fault::ReceiverFails => self.receiver.status(500),
            Fault::DiskFull => self.rig.disk.iter().for_each(crate::rig::SmallDisk::fill),
            Fault::StoreGone => self.take_store_away()?,
        }
        Ok(())
    }

    /// Unmakes it.
    pub(super) async fn end(&mut self, fault: Fault) -> Result<()> {
        match fault {
            Fault::KillApi => drop(self.rig.start_one(Program::Api).await?),
            Fault::KillWorker => drop(self.rig.start_one(VICTIM).await?),
            Fault::PauseWorker => self.rig.signal(VICTIM, Signal::SIGCONT),
            Fault::KillRedis => self.redis()?.restart().await,
            Fault::PauseRedis => self.redis()?.resume(),
            Fault::KillPostgres => self.postgres()?.restart().await,
            Fault::PausePostgres => self.postgres()?.resume(),
            Fault::ReceiverDown => self.receiver.come_back().await?,
            Fault::ReceiverSlow => self.receiver.delay(Duration::ZERO),
            Fault::ReceiverFails => self.receiver.status(204),
            Fault::DiskFull => self.rig.disk.iter().for_each(crate::rig::SmallDisk::free),
            Fault::StoreGone => self.bring_store_back()?,
            // A moved clock stays moved, and what is wiped is gone.
            Fault::ClockForward | Fault::ClockBack | Fault::FlushRedis => {}
        }
        Ok(())
    }

    /// Whether it can be made here.
    pub(super) const fn can(&self, fault: Fault) -> bool {
        !matches!(fault, Fault::DiskFull) || self.rig.disk.is_some()
    }

    /// Starts again what ended by itself; returns how many did.
    pub(super) async fn tend(&mut self) -> Result<usize> {
        let ended = self.rig.forget_ended();
        self.rig.start_programs().await?;
        Ok(ended)
    }

    /// Every due time and lease is compared with this one function.
    async fn move_clock(&mut self, by_ms: i64) {
        self.clock_ms += by_ms;
        let sql = format!(
            "CREATE OR REPLACE FUNCTION now_ms() RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE AS \
             $$ SELECT (extract(epoch FROM statement_timestamp()) * 1000)::bigint + ({}) $$",
            self.clock_ms
        );
        self.rig.store().rows.change(&sql).await;
    }

    fn take_store_away(&self) -> Result<()> {
        let data = self.rig.data();
        fs::rename(data.join(FILES), data.join(FILES_AWAY))?;
        // In its place something that no file can be made in.
        Ok(fs::write(data.join(FILES), b"not a folder")?)
    }

    fn bring_store_back(&self) -> Result<()> {
        let data = self.rig.data();
        fs::remove_file(data.join(FILES))?;
        Ok(fs::rename(data.join(FILES_AWAY), data.join(FILES))?)
    }

    fn redis(&mut self) -> Result<&mut OwnRedis> {
        self.rig.redis.as_mut().context("one machine has no Redis")
    }

    fn postgres(&mut self) -> Result<&mut OwnPostgres> {
        self.rig.postgres.as_mut().context("one machine has no Postgres")
    }
}
