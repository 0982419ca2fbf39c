//! What apalis calls for each job. It takes a job only into a free slot, and asks for jobs only while a whole batch fits.

use std::{
    convert::Infallible,
    task::{Context, Poll},
};

use apalis_core::{layers::Service, task::Task};
use domain::job::Hint;
use futures_util::{FutureExt, future::BoxFuture};

use super::{BoxError, Shared, meter::Meter};

/// The service of one apalis worker.
pub(super) struct Work<H> {
    pub(super) shared: Shared<H>,
    pub(super) meter: Meter,
    pub(super) batch: usize,
}

impl<H, F> Service<Task<Hint>> for Work<H>
where
    H: Fn(Hint) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<(), BoxError>> + Send + 'static,
{
    type Response = ();
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<(), Infallible>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        let free = self.shared.slots.poll_free(cx.waker());
        let may_fetch = free >= self.batch && !self.shared.stop.is_cancelled();
        // Room for what is on its way was found before it was asked for.
        if may_fetch || !self.meter.is_quiet() { Poll::Ready(Ok(())) } else { Poll::Pending }
    }

    fn call(&mut self, job: Task<Hint>) -> Self::Future {
        self.meter.taken();
        let handled = self.shared.start(job.args);
        // Always `Ok`: apalis' retries know no schedule, ours are rows.
        handled.map(|_| Ok(())).boxed()
    }
}
