//! The faults: what each is called, and where it can happen.

use std::fmt;

use clap::ValueEnum;

use crate::cluster::Shape;

/// Something that breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Fault {
    /// `kill -9` of the API, or of the one process
    KillApi,
    /// `kill -9` of one worker
    KillWorker,
    /// A worker stops for longer than its lease, then goes on
    PauseWorker,
    /// `kill -9` of Redis; all hints are gone
    KillRedis,
    /// `FLUSHALL`
    FlushRedis,
    /// Redis does not answer
    PauseRedis,
    /// Redis has 1 MB of memory and evicts nothing
    RedisOutOfMemory,
    /// Redis is a replica of a server that is away: it refuses writes
    RedisReadOnly,
    /// Redis misses the replicas that it must have for a write
    RedisWithoutReplicas,
    /// Redis closes all connections four times a second
    KillRedisClients,
    /// Every key of ours in Redis becomes a string
    RedisWrongTypes,
    /// `kill -9` of every process of Postgres
    KillPostgres,
    /// Postgres does not answer
    PausePostgres,
    /// Postgres ends all sessions three times a second
    TerminateSessions,
    /// Postgres refuses writes
    PostgresReadOnly,
    /// Postgres ends every statement after 5 ms
    StatementTimeout,
    /// Another session holds the table `event` alone
    LockEvent,
    /// Another session holds the table `delivery` alone
    LockDelivery,
    /// Another session holds the table `finished_delivery` alone
    LockFinishedDelivery,
    /// Another session holds the table `lane` alone
    LockLane,
    /// Another session holds the table `endpoint` alone
    LockEndpoint,
    /// Another process holds the write lock of the SQLite file
    LockFile,
    /// The database's clock jumps a minute ahead
    ClockForward,
    /// The database's clock goes back by five seconds
    ClockBack,
    /// Nothing listens at the receiver's port
    ReceiverDown,
    /// The receiver takes 700 ms
    ReceiverSlow,
    /// The receiver answers 500
    ReceiverFails,
    /// No room on the disk of uploads; on one machine the database lies there too
    DiskFull,
    /// The folder of uploads is gone
    StoreGone,
}

/// Hot tables, each locked by a fault of its own.
pub(super) const LOCKS: [Fault; 5] = [
    Fault::LockEvent,
    Fault::LockDelivery,
    Fault::LockFinishedDelivery,
    Fault::LockLane,
    Fault::LockEndpoint,
];

const ON_ONE_MACHINE: &[Fault] = &[
    Fault::KillApi,
    Fault::ReceiverDown,
    Fault::DiskFull,
    Fault::ReceiverSlow,
    Fault::StoreGone,
    Fault::ReceiverFails,
    Fault::LockFile,
];
/// Besides the locks.
const ON_MANY: &[Fault] = &[
    Fault::KillApi,
    Fault::KillWorker,
    Fault::KillRedis,
    Fault::FlushRedis,
    Fault::PauseRedis,
    Fault::RedisOutOfMemory,
    Fault::RedisReadOnly,
    Fault::RedisWithoutReplicas,
    Fault::KillRedisClients,
    Fault::RedisWrongTypes,
    Fault::KillPostgres,
    Fault::PausePostgres,
    Fault::TerminateSessions,
    Fault::PostgresReadOnly,
    Fault::StatementTimeout,
    Fault::ClockForward,
    Fault::ClockBack,
    Fault::ReceiverDown,
    Fault::ReceiverSlow,
    Fault::ReceiverFails,
    Fault::DiskFull,
    Fault::StoreGone,
];

impl Fault {
    /// All that can happen on this shape, but the locks and what waits for a lease.
    pub(super) const fn of_shape(shape: Shape) -> &'static [Self] {
        match shape {
            Shape::Embedded => ON_ONE_MACHINE,
            Shape::Cluster => ON_MANY,
        }
    }

    /// Whether it can happen there.
    pub(super) fn runs_on(self, shape: Shape) -> bool {
        let only_on_many = self == Self::PauseWorker || self.locked_table().is_some();
        Self::of_shape(shape).contains(&self) || (shape == Shape::Cluster && only_on_many)
    }

    /// The table that it locks.
    pub(super) const fn locked_table(self) -> Option<&'static str> {
        match self {
            Self::LockEvent => Some("event"),
            Self::LockDelivery => Some("delivery"),
            Self::LockFinishedDelivery => Some("finished_delivery"),
            Self::LockLane => Some("lane"),
            Self::LockEndpoint => Some("endpoint"),
            _ => None,
        }
    }

    /// Whether it heals when a lease or a breaker's wait ends.
    pub(super) const fn heals_slowly(self) -> bool {
        matches!(
            self,
            Self::KillWorker
                | Self::KillPostgres
                | Self::PausePostgres
                | Self::ReceiverDown
                | Self::ReceiverFails
        )
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(table) = self.locked_table() {
            return write!(f, "the table {table} is locked");
        }
        f.write_str(match self {
            Self::KillApi => "kill -9 of the API",
            Self::KillWorker => "kill -9 of a worker",
            Self::PauseWorker => "a worker stops past its lease",
            Self::KillRedis => "kill -9 of Redis",
            Self::FlushRedis => "FLUSHALL",
            Self::PauseRedis => "Redis stops",
            Self::RedisOutOfMemory => "Redis is out of memory",
            Self::RedisReadOnly => "Redis is read-only",
            Self::RedisWithoutReplicas => "Redis misses its replicas",
            Self::KillRedisClients => "Redis closes all connections again and again",
            Self::RedisWrongTypes => "keys in Redis have a wrong type",
            Self::KillPostgres => "kill -9 of Postgres",
            Self::PausePostgres => "Postgres stops",
            Self::TerminateSessions => "Postgres ends all sessions again and again",
            Self::PostgresReadOnly => "Postgres is read-only",
            Self::StatementTimeout => "Postgres ends statements after 5 ms",
            Self::LockFile => "the SQLite file is locked",
            Self::ClockForward => "the database's clock jumps ahead by 60 s",
            Self::ClockBack => "the database's clock goes back by 5 s",
            Self::ReceiverDown => "the receiver is down",
            Self::ReceiverSlow => "the receiver is slow",
            Self::ReceiverFails => "the receiver answers 500",
            Self::DiskFull => "the disk is full",
            _ => "the folder of uploads is gone",
        })
    }
}
