//! A subscription as browsers write it (`PushSubscription.toJSON`), checked: every fault at once, and no fault repeats what
//! it is about, for its address and `auth` are secrets. Members that are not known are ignored.

use axum::extract::Request;
use base64::{
    Engine,
    alphabet::{STANDARD, URL_SAFE},
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use channels::{
    guard::Guard,
    web_push::{AUTH_BYTES, KEY_BYTES, PushTarget, PushTargetError},
};
use domain::{
    endpoint::EndpointUrl,
    id::UserId,
    message::{Fault, FaultKind},
    notification::PushServices,
};
use serde_json::{Map, Value};

use crate::{
    app::App,
    error_format::{DetailError, object},
    extract::json_bytes,
};

/// Largest body, in bytes.
const MAX_BODY: usize = 16 * 1_024;
const PADDED_OR_NOT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
/// As `PushSubscription.toJSON` writes it.
const BASE64URL: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, PADDED_OR_NOT);
/// As pages write it that encode the keys by `btoa`.
const BASE64: GeneralPurpose = GeneralPurpose::new(&STANDARD, PADDED_OR_NOT);

/// A subscription that keeps the rules. Whether its address may be sent to is the guard's to say.
pub(super) struct Subscription {
    pub(super) target: PushTarget,
    pub(super) p256dh: Vec<u8>,
    pub(super) auth: Vec<u8>,
    pub(super) user_id: Option<UserId>,
}

impl Subscription {
    /// Reads a body.
    pub(super) async fn read(app: &App, request: Request) -> Result<Self, DetailError> {
        Ok(Self::parse(&json_bytes(request, MAX_BODY, &app.limits).await?)?)
    }

    fn parse(body: &[u8]) -> Result<Self, Vec<Fault>> {
        let mut members = Members::of(body)?;
        let endpoint = members.endpoint();
        let [p256dh, auth] = members.keys();
        let user_id = members.user_id();
        let (Some(endpoint), Some(p256dh), Some(auth), true) =
            (endpoint, p256dh, auth, members.faults.is_empty())
        else {
            return Err(members.faults);
        };
        let target = PushTarget::new(&endpoint, &p256dh, &auth).map_err(|wrong| vec![fault_of(&wrong)])?;
        Ok(Self { target, p256dh, auth, user_id })
    }

    /// Refuses an address that nothing is sent to. A literal address in the excepted networks is allowed, also by http;
    /// every other must be https at its usual port and the host that of a push service.
    pub(super) fn allowed_by(&self, guard: &Guard, services: &PushServices) -> Result<(), Vec<Fault>> {
        let url = self.target.url();
        guard.check_literal(url).map_err(|wrong| endpoint_fault(&wrong.to_string()))?;
        if guard.excepts(url) {
            return Ok(());
        }
        if url.scheme() != "https" {
            return Err(endpoint_fault(
                "must begin with https:// (http:// is for addresses in ALLOW_NETWORKS)",
            ));
        }
        if url.port().is_some() {
            return Err(endpoint_fault("must not name a port: push services use that of https"));
        }
        if url.host().is_some_and(|host| services.allow(&host)) {
            return Ok(());
        }
        Err(endpoint_fault("must be at a known push service (PUSH_SERVICES lists further ones)"))
    }

    /// Whether its push service is listed by name: it has a lane before it has taken a message.
    pub(super) fn is_at_a_known_service(&self, services: &PushServices) -> bool {
        self.target.url().host().is_some_and(|host| services.name(&host))
    }
}

fn fault_of(wrong: &PushTargetError) -> Fault {
    let at = match wrong {
        PushTargetError::Endpoint(_) => vec!["body", "endpoint"],
        PushTargetError::Key => vec!["body", "keys", "p256dh"],
        PushTargetError::Auth => vec!["body", "keys", "auth"],
    };
    Fault { loc: at, msg: wrong.to_string(), kind: FaultKind::ValueError }
}

fn endpoint_fault(what: &str) -> Vec<Fault> {
    vec![Fault::of_member("endpoint", FaultKind::ValueError, what)]
}

/// The members of a body, and what was wrong with those that were looked at.
struct Members {
    given: Map<String, Value>,
    faults: Vec<Fault>,
}

impl Members {
    fn of(body: &[u8]) -> Result<Self, Vec<Fault>> {
        Ok(Self { given: object(body)?, faults: vec![] })
    }

    fn endpoint(&mut self) -> Option<String> {
        let text = text(self.given.remove("endpoint"));
        let checked = text.and_then(|text| match EndpointUrl::parse(&text) {
            Ok(_) => Ok(text),
            Err(wrong) => Err((FaultKind::ValueError, wrong.to_string())),
        });
        self.kept(&["endpoint"], checked)
    }

    /// `p256dh` and `auth`.
    fn keys(&mut self) -> [Option<Vec<u8>>; 2] {
        let mut keys = match self.given.remove("keys") {
            Some(Value::Object(keys)) => keys,
            None | Some(Value::Null) => {
                return [self.kept(&["keys"], Err((FaultKind::Missing, "is required".to_owned()))), None];
            }
            Some(_) => {
                return [
                    self.kept(&["keys"], Err((FaultKind::ValueError, "must be an object".to_owned()))),
                    None,
                ];
            }
        };
        let p256dh = bytes(keys.remove("p256dh"), KEY_BYTES);
        let auth = bytes(keys.remove("auth"), AUTH_BYTES);
        [self.kept(&["keys", "p256dh"], p256dh), self.kept(&["keys", "auth"], auth)]
    }

    fn user_id(&mut self) -> Option<UserId> {
        let given = self.given.remove("user_id").filter(|given| !given.is_null())?;
        let rule = || (FaultKind::IntParsing, "must be an integer of at most 64 bits".to_owned());
        self.kept(&["user_id"], given.as_i64().map(UserId).ok_or_else(rule))
    }

    fn kept<T>(&mut self, at: &[&'static str], checked: Checked<T>) -> Option<T> {
        let note = |(kind, what): Flaw| {
            let loc = [&["body"], at].concat();
            let name = at.last().copied().unwrap_or("the body");
            self.faults.push(Fault { loc, msg: format!("{name} {what}"), kind });
        };
        checked.map_err(note).ok()
    }
}

type Flaw = (FaultKind, String);
type Checked<T> = Result<T, Flaw>;

fn text(given: Option<Value>) -> Checked<String> {
    match given {
        None | Some(Value::Null) => Err((FaultKind::Missing, "is required".to_owned())),
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err((FaultKind::StringType, "must be a string".to_owned())),
    }
}

fn bytes(given: Option<Value>, length: usize) -> Checked<Vec<u8>> {
    let text = text(given)?;
    let decoded = BASE64URL.decode(&text).or_else(|_| BASE64.decode(&text));
    let decoded = decoded.ok().filter(|bytes| bytes.len() == length);
    decoded.ok_or_else(|| (FaultKind::ValueError, format!("must be {length} bytes in base64url")))
}
