//! The connection of an apalis worker, with a meter on it. It changes no command; it only repeats a fetch that found
//! nothing while a push rang, because apalis would then sleep over the push.

use futures_util::FutureExt;
use redis::{
    Cmd, Pipeline, RedisFuture, Value,
    aio::{ConnectionLike, MultiplexedConnection},
};
use tokio::sync::watch;

use super::{
    meter::Meter,
    status::{WorkerState, WorkerStatus},
};

/// A connection that tells its meter what it fetched.
#[derive(Clone)]
pub(super) struct Tap {
    pub(super) connection: MultiplexedConnection,
    pub(super) meter: Meter,
    pub(super) pushed: watch::Receiver<u64>,
    pub(super) status: WorkerStatus,
}

impl ConnectionLike for Tap {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        async move {
            let _call = self.meter.call();
            loop {
                let rung = *self.pushed.borrow();
                let value = self.connection.req_packed_command(cmd).await?;
                let Some(jobs) = jobs_fetched(&value) else {
                    return Ok(value);
                };
                self.status.set(WorkerState::Running);
                if jobs > 0 || *self.pushed.borrow() == rung {
                    self.meter.fetched(jobs);
                    return Ok(value);
                }
            }
        }
        .boxed()
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        self.connection.req_packed_commands(pipeline, offset, count)
    }

    fn get_db(&self) -> i64 {
        self.connection.get_db()
    }
}

/// A fetch is the one call of a worker that answers with two lists: the jobs' data and what apalis knows about each.
fn jobs_fetched(value: &Value) -> Option<usize> {
    match value {
        Value::Array(parts) => match parts.as_slice() {
            [Value::Array(data), Value::Array(meta)] if data.len() == meta.len() => Some(data.len()),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_answer_to_a_fetch_counts_as_one() {
        let list = |of: usize| Value::Array(vec![Value::Nil; of]);
        assert_eq!(jobs_fetched(&Value::Array(vec![list(3), list(3)])), Some(3));
        assert_eq!(jobs_fetched(&Value::Array(vec![list(0), list(0)])), Some(0));
        assert_eq!(jobs_fetched(&Value::Array(vec![list(3), list(2)])), None);
        assert_eq!(jobs_fetched(&Value::Array(vec![Value::Int(1), Value::Int(2)])), None);
        assert_eq!(jobs_fetched(&Value::Int(7)), None);
    }
}
