//! The engine against a model: thousands of random steps – accepts, lost and repeated jobs, claims, workers that send,
//! fail, stall past their lease, renew it, repeat a record or die, endpoints that come and go, time that passes – and after them
//! no delivery is lost, stuck or succeeded twice. On SQLite and on Postgres; a seed plays the same steps again.

mod check;
mod manual_moves;
mod steps;
mod world;

use platform::config::environment;
use testkit::{Shape, TestApp};

use world::World;

/// Steps of one run, unless `HOOKYARD_MODEL_STEPS` says otherwise.
const STEPS: usize = 600;
/// Steps between two looks at the whole.
const CHECK_EVERY: usize = 50;

fn setting(name: &str) -> Option<u64> {
    environment(name).map(|value| value.parse().unwrap_or_else(|_| panic!("{name}: not a number: {value}")))
}

/// One run with a seed of its own, or with `HOOKYARD_MODEL_SEED`. A failure prints it.
async fn run(shape: Shape) {
    let seed = setting("HOOKYARD_MODEL_SEED").unwrap_or_else(rand::random);
    let steps =
        setting("HOOKYARD_MODEL_STEPS").map_or(STEPS, |steps| usize::try_from(steps).expect("a count"));
    eprintln!("{shape:?}: {steps} steps, HOOKYARD_MODEL_SEED={seed}");
    let mut world = World::new(TestApp::start(shape).await, seed).await;
    for number in 1..=steps {
        world.step().await;
        if number % CHECK_EVERY == 0 {
            world.check().await;
        }
    }
    world.settle().await;
    world.check_settled().await;
    eprintln!("{}", world.tally);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_stuck_or_done_twice_on_sqlite() {
    run(Shape::Embedded).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_stuck_or_done_twice_on_postgres() {
    run(Shape::Cluster).await;
}
