//! How each fault is made and unmade.

use std::{
    fs,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use testkit::{
    process::Signal,
    servers::{OwnPostgres, OwnRedis},
};
use tokio::time::sleep;

use super::{
    fault::Fault,
    postgres_faults::{self, Clock, TableLock},
    redis_faults,
    sqlite_faults::WriteLock,
};
use crate::{
    receiver::Receiver,
    rig::{Program, Rig},
};

const SLOW: Duration = Duration::from_millis(700);
const FORWARD_MS: i64 = 60_000;
const BACK_MS: i64 = 5_000;
/// The worker that faults meet; the other takes over.
const VICTIM: Program = Program::Worker(0);
const DATABASE: &str = "app.db";
const FILES: &str = "files";
const FILES_AWAY: &str = "files.away";

/// What can break.
pub(super) struct Scene {
    pub(super) rig: Rig,
    pub(super) receiver: Receiver,
    pub(super) clock: Clock,
    pub(super) table_lock: Option<TableLock>,
    pub(super) write_lock: Option<WriteLock>,
}

impl Scene {
    /// Makes the fault.
    pub(super) async fn begin(&mut self, fault: Fault) -> Result<()> {
        match fault {
            Fault::KillApi => self.rig.kill(Program::Api),
            Fault::KillWorker => self.rig.kill(VICTIM),
            Fault::PauseWorker => self.rig.signal(VICTIM, Signal::SIGSTOP),
            Fault::KillRedis => self.redis()?.kill(),
            Fault::PauseRedis => self.redis()?.pause(),
            Fault::KillPostgres => self.postgres()?.kill(),
            Fault::PausePostgres => self.postgres()?.pause(),
            Fault::ReceiverDown => self.receiver.go_away().await,
            Fault::ReceiverSlow => self.receiver.delay(SLOW),
            Fault::ReceiverFails => self.receiver.status(500),
            Fault::DiskFull => self.rig.disk.iter().for_each(crate::rig::SmallDisk::fill),
            Fault::StoreGone => self.take_store_away()?,
            Fault::LockFile => {
                self.write_lock = Some(WriteLock::take(&self.rig.data().join(DATABASE)).await?);
            }
            _ => self.ask_for(fault).await?,
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
            _ => self.undo(fault).await?,
        }
        Ok(())
    }

    /// Lets it last; what must happen again and again does.
    pub(super) async fn hold(&mut self, fault: Fault, length: Duration) -> Result<()> {
        let every = match fault {
            Fault::KillRedisClients => Duration::from_millis(250),
            Fault::RedisWrongTypes => Duration::from_millis(100),
            Fault::TerminateSessions => Duration::from_millis(330),
            _ => length,
        };
        let end = Instant::now() + length;
        sleep(every).await;
        while Instant::now() < end {
            self.ask_for(fault).await?;
            sleep(every).await;
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

    /// A fault that a server itself is asked for.
    async fn ask_for(&mut self, fault: Fault) -> Result<()> {
        if let Some(redis) = &self.rig.redis {
            redis_faults::make(redis, fault).await;
        }
        match fault {
            Fault::ClockForward => self.clock.moved_ms += FORWARD_MS,
            Fault::ClockBack => self.clock.moved_ms -= BACK_MS,
            _ => {}
        }
        let url = self.rig.database_url();
        match fault.locked_table() {
            Some(table) => self.table_lock = Some(postgres_faults::lock(&url, table).await?),
            None if self.rig.postgres.is_some() => postgres_faults::make(&url, fault, self.clock).await?,
            None => {}
        }
        Ok(())
    }

    /// A moved clock stays moved, and what is wiped is gone.
    async fn undo(&mut self, fault: Fault) -> Result<()> {
        self.table_lock = None;
        if let Some(lock) = self.write_lock.take() {
            lock.release().await?;
        }
        if let Some(redis) = &self.rig.redis {
            redis_faults::undo(redis, fault).await;
        }
        if self.rig.postgres.is_some() {
            postgres_faults::undo(&self.rig.database_url(), fault, self.clock).await?;
        }
        Ok(())
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
