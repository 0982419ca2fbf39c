//! Starts, stops and kills the programs of a cluster, and returns their process ids.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use testkit::{
    process::{Running, Signal},
    servers::OwnPostgres,
    wait::LOOK_EVERY,
};
use tokio::time::sleep;

use super::{Cluster, READY_WITHIN, Shape};

/// A program under test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Program {
    /// The API, or the one process that is everything.
    Api,
    /// A worker, by number.
    Worker(usize),
}

impl Cluster {
    /// Starts every program that does not run; returns when all are ready, with the time that the slowest took.
    pub(crate) async fn start_programs(&mut self) -> Result<Duration> {
        let mut slowest = Duration::ZERO;
        for program in self.programs() {
            slowest = slowest.max(self.start_one(program).await?);
        }
        Ok(slowest)
    }

    /// Starts one program unless it runs; returns when it is ready, with the time that it took.
    pub(crate) async fn start_one(&mut self, program: Program) -> Result<Duration> {
        let begun = Instant::now();
        if self.slot(program).is_none() {
            let running = self.launch_of(program);
            *self.slot(program) = Some(running);
        }
        let url = self.health_of(program);
        let api = self.api();
        while !api.is_well(&url).await {
            self.check_it_runs(program)?;
            ensure!(begun.elapsed() < READY_WITHIN, "{program:?} was not ready within {READY_WITHIN:?}");
            sleep(LOOK_EVERY).await;
        }
        Ok(begun.elapsed())
    }

    /// Every program that this cluster has.
    pub(crate) fn programs(&self) -> Vec<Program> {
        [Program::Api].into_iter().chain((0..self.workers.len()).map(Program::Worker)).collect()
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self, program: Program) {
        if let Some(mut running) = self.slot(program).take() {
            running.kill();
        }
    }

    /// Drops programs that exited on their own; returns how many.
    pub(crate) fn forget_ended(&mut self) -> usize {
        let has_ended = |slot: &mut Option<Running>| slot.as_mut().is_some_and(|one| one.ended().is_some());
        let slots = [&mut self.api].into_iter().chain(&mut self.workers);
        slots.filter_map(|slot| has_ended(slot).then(|| slot.take())).count()
    }

    /// Asks every program to stop, and waits until all have.
    pub(crate) async fn stop_programs(&mut self) -> Result<()> {
        for program in self.programs() {
            if let Some(mut running) = self.slot(program).take() {
                running.signal(Signal::SIGTERM);
                running.wait_exit(READY_WITHIN).await;
            }
        }
        Ok(())
    }

    /// Sends a signal to a program that runs.
    pub(crate) fn signal(&mut self, program: Program, signal: Signal) {
        if let Some(running) = self.slot(program) {
            running.signal(signal);
        }
    }

    /// A program that runs.
    pub(crate) fn running(&self, program: Program) -> Option<&Running> {
        match program {
            Program::Api => self.api.as_ref(),
            Program::Worker(number) => self.workers.get(number)?.as_ref(),
        }
    }

    /// The processes of each part, by the name that tables show.
    pub(crate) fn parts(&self) -> Vec<(&'static str, Vec<u32>)> {
        let api = self.api.iter().map(Running::id).collect();
        let one = if self.shape == Shape::Embedded { "hookyard" } else { "api" };
        let mut parts = vec![(one, api)];
        if self.shape == Shape::Cluster {
            parts.push(("worker", self.workers.iter().flatten().map(Running::id).collect()));
            parts.push(("postgres", self.postgres.iter().flat_map(OwnPostgres::processes).collect()));
            parts.push(("redis", self.redis.iter().filter_map(|redis| redis.process()).collect()));
        }
        parts.push(("bench", vec![std::process::id()]));
        parts
    }

    fn check_it_runs(&mut self, program: Program) -> Result<()> {
        let running = self.slot(program).as_mut();
        let ended = running.and_then(|running| running.ended().map(|status| (status, running.log())));
        ensure!(ended.is_none(), "{program:?} ended at once: {ended:?}");
        Ok(())
    }

    fn slot(&mut self, program: Program) -> &mut Option<Running> {
        match program {
            Program::Api => &mut self.api,
            Program::Worker(number) => &mut self.workers[number],
        }
    }

    fn launch_of(&self, program: Program) -> Running {
        let launch = match (self.shape, program) {
            (Shape::Embedded, _) => self.launch("hookyard", "hookyard"),
            (Shape::Cluster, Program::Api) => self.launch("hookyard-api", "api"),
            (Shape::Cluster, Program::Worker(number)) => {
                self.launch("hookyard-worker", &format!("worker-{number}"))
            }
        };
        launch.set("DASHBOARD_ADDR", format!("127.0.0.1:{}", self.dashboard_of(program))).start()
    }

    fn dashboard_of(&self, program: Program) -> u16 {
        match program {
            Program::Api => self.dashboards[0],
            Program::Worker(number) => self.dashboards[number + 1],
        }
    }

    fn health_of(&self, program: Program) -> String {
        match program {
            Program::Api => format!("http://{}/health/ready", self.address()),
            Program::Worker(_) => format!("http://127.0.0.1:{}/health/ready", self.dashboard_of(program)),
        }
    }
}
