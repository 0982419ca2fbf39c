//! Injects and removes each fault.

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
    cluster::{Cluster, Program},
    receiver::Receiver,
};

const SLOW: Duration = Duration::from_millis(700);
const FORWARD_MS: i64 = 60_000;
const BACK_MS: i64 = 5_000;
/// The worker that faults hit; the other one takes over.
const VICTIM: Program = Program::Worker(0);
const DATABASE: &str = "app.db";
const FILES: &str = "files";
const FILES_AWAY: &str = "files.away";

/// Everything that faults can hit.
pub(super) struct Scene {
    pub(super) cluster: Cluster,
    pub(super) receiver: Receiver,
    pub(super) clock: Clock,
    pub(super) table_lock: Option<TableLock>,
    pub(super) write_lock: Option<WriteLock>,
}

impl Scene {
    /// Injects the fault.
    pub(super) async fn begin(&mut self, fault: Fault) -> Result<()> {
        match fault {
            Fault::KillApi => self.cluster.kill(Program::Api),
            Fault::KillWorker => self.cluster.kill(VICTIM),
            Fault::PauseWorker => self.cluster.signal(VICTIM, Signal::SIGSTOP),
            Fault::KillRedis => self.redis()?.kill(),
            Fault::PauseRedis => self.redis()?.pause(),
            Fault::KillPostgres => self.postgres()?.kill(),
            Fault::PausePostgres => self.postgres()?.pause(),
            Fault::ReceiverDown => self.receiver.go_away().await,
            Fault::ReceiverSlow => self.receiver.delay(SLOW),
            Fault::ReceiverFails => self.receiver.status(500),
            Fault::DiskFull => self.cluster.disk.iter().for_each(crate::cluster::SmallDisk::fill),
            Fault::StoreGone => self.take_store_away()?,
            Fault::LockFile => {
                self.write_lock = Some(WriteLock::acquire(&self.cluster.data().join(DATABASE)).await?);
            }
            _ => self.ask_for(fault).await?,
        }
        Ok(())
    }

    /// Removes the fault.
    pub(super) async fn end(&mut self, fault: Fault) -> Result<()> {
        match fault {
            Fault::KillApi => drop(self.cluster.start_one(Program::Api).await?),
            Fault::KillWorker => drop(self.cluster.start_one(VICTIM).await?),
            Fault::PauseWorker => self.cluster.signal(VICTIM, Signal::SIGCONT),
            Fault::KillRedis => self.redis()?.restart().await,
            Fault::PauseRedis => self.redis()?.resume(),
            Fault::KillPostgres => self.postgres()?.restart().await,
            Fault::PausePostgres => self.postgres()?.resume(),
            Fault::ReceiverDown => self.receiver.come_back().await?,
            Fault::ReceiverSlow => self.receiver.delay(Duration::ZERO),
            Fault::ReceiverFails => self.receiver.status(204),
            Fault::DiskFull => self.cluster.disk.iter().for_each(crate::cluster::SmallDisk::free),
            Fault::StoreGone => self.bring_store_back()?,
            _ => self.undo(fault).await?,
        }
        Ok(())
    }

    /// Keeps the fault for its time, repeating what must be repeated.
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

    /// Whether the fault can be injected here.
    pub(super) const fn can(&self, fault: Fault) -> bool {
        !matches!(fault, Fault::DiskFull) || self.cluster.disk.is_some()
    }

    /// Restarts programs that exited on their own; returns how many.
    pub(super) async fn tend(&mut self) -> Result<usize> {
        let ended = self.cluster.forget_ended();
        self.cluster.start_programs().await?;
        Ok(ended)
    }

    /// Injects a fault through the server itself.
    async fn ask_for(&mut self, fault: Fault) -> Result<()> {
        if let Some(redis) = &self.cluster.redis {
            redis_faults::make(redis, fault).await;
        }
        match fault {
            Fault::ClockForward => self.clock.moved_ms += FORWARD_MS,
            Fault::ClockBack => self.clock.moved_ms -= BACK_MS,
            _ => {}
        }
        let url = self.cluster.database_url();
        match fault.locked_table() {
            Some(table) => self.table_lock = Some(postgres_faults::lock(&url, table).await?),
            None if self.cluster.postgres.is_some() => postgres_faults::make(&url, fault, self.clock).await?,
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
        if let Some(redis) = &self.cluster.redis {
            redis_faults::undo(redis, fault).await;
        }
        if self.cluster.postgres.is_some() {
            postgres_faults::undo(&self.cluster.database_url(), fault, self.clock).await?;
        }
        Ok(())
    }

    fn take_store_away(&self) -> Result<()> {
        let data = self.cluster.data();
        fs::rename(data.join(FILES), data.join(FILES_AWAY))?;
        // Replaced by something that no file can be created in.
        Ok(fs::write(data.join(FILES), b"not a folder")?)
    }

    fn bring_store_back(&self) -> Result<()> {
        let data = self.cluster.data();
        fs::remove_file(data.join(FILES))?;
        Ok(fs::rename(data.join(FILES_AWAY), data.join(FILES))?)
    }

    fn redis(&mut self) -> Result<&mut OwnRedis> {
        self.cluster.redis.as_mut().context("one machine has no Redis")
    }

    fn postgres(&mut self) -> Result<&mut OwnPostgres> {
        self.cluster.postgres.as_mut().context("one machine has no Postgres")
    }
}
