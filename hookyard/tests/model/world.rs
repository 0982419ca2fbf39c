//! The state of the model: what each caller was promised, and which worker owns which delivery until when.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use domain::{clock::Millis, id::EndpointId, job::Job, signature::SigningSecret};
use rand::{SeedableRng, rngs::StdRng};
use testkit::{Receiver, TestApp};
use uuid::Uuid;
use worker::claim::Claimed;

/// Endpoints of a world.
const ENDPOINTS: usize = 4;

/// How an endpoint answers at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// 200.
    Well,
    /// 500, or no connection.
    Failing,
    /// 503 with a `Retry-After` of twenty seconds.
    Overloaded,
}

pub struct Endpoint {
    pub id: EndpointId,
    pub mood: Mood,
    pub paused: bool,
    /// What it signs with at the moment.
    pub secret: SigningSecret,
}

/// What happened in a run.
#[derive(Default)]
pub struct Tally {
    pub accepted: usize,
    pub handed_over: usize,
    pub claimed: usize,
    pub recorded: usize,
    pub late: usize,
    pub killed: usize,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { accepted, handed_over, claimed, recorded, late, killed } = self;
        write!(
            f,
            "accepted {accepted}, taken from jobs {handed_over}, claimed {claimed}, recorded {recorded} (late: {late}), lost with their worker {killed}"
        )
    }
}

pub struct World {
    pub app: TestApp,
    pub rng: StdRng,
    pub endpoints: Vec<Endpoint>,
    /// Every delivery that was accepted.
    pub accepted: BTreeSet<Uuid>,
    /// Jobs on their way: some get lost, some come twice.
    pub jobs: Vec<Job>,
    /// The claimed deliveries of each worker.
    pub claimed: Vec<Vec<Claimed>>,
    /// Until when a delivery is its claimer's.
    pub leases: BTreeMap<Uuid, (i32, Millis)>,
    /// How those ended that have: it never changes.
    pub finished: BTreeMap<Uuid, (String, Option<String>)>,
    /// Deliveries that were cancelled.
    pub cancelled: BTreeSet<Uuid>,
    /// Deliveries whose success was recorded, in time or late.
    pub succeeded: BTreeSet<Uuid>,
    pub tally: Tally,
    pub receiver: Receiver,
}

impl World {
    pub async fn new(app: TestApp, seed: u64) -> Self {
        let receiver = Receiver::start(0).await.expect("a receiver");
        let mut endpoints = vec![];
        for number in 0..ENDPOINTS {
            let id = app.register(&receiver.url(&format!("/{number}"))).await;
            let secret = secret_of(&app, id).await;
            endpoints.push(Endpoint { id, mood: Mood::Well, paused: false, secret });
        }
        Self {
            app,
            rng: StdRng::seed_from_u64(seed),
            endpoints,
            accepted: BTreeSet::new(),
            jobs: vec![],
            claimed: vec![],
            leases: BTreeMap::new(),
            finished: BTreeMap::new(),
            cancelled: BTreeSet::new(),
            succeeded: BTreeSet::new(),
            tally: Tally::default(),
            receiver,
        }
    }

    pub fn endpoint_of(&self, delivery: &Claimed) -> &Endpoint {
        let id = delivery.lane_id().0;
        self.endpoints.iter().find(|endpoint| endpoint.id.0 == id).expect("one of ours")
    }
}

async fn secret_of(app: &TestApp, id: EndpointId) -> SigningSecret {
    let answer = app.http.get(format!("{}/v1/endpoints/{id}/secret", app.base)).send().await;
    let response: serde_json::Value = answer.expect("an answer").json().await.expect("JSON");
    response["secret"].as_str().and_then(|secret| secret.parse().ok()).expect("a secret")
}
