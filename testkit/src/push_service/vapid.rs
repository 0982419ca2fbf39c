//! The push service's side of RFC 8292: verifies the signature, audience and expiry of tokens.

use anyhow::{Context as _, anyhow, ensure};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::clock::Millis;
use p256::ecdsa::{Signature, VerifyingKey, signature::Verifier as _};
use serde_json::Value;

/// Longest remaining lifetime of a token (RFC 8292 §2).
const MAX_SECONDS: i64 = 24 * 3_600;

/// The claims of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// The audience: the origin of a push service.
    pub aud: String,
    /// The expiry, in seconds since 1970.
    pub exp: i64,
    /// The contact.
    pub sub: String,
}

impl Claims {
    /// Whether a service at `origin` accepts them at `now`.
    pub(super) fn check(&self, origin: &str, now: Millis) -> anyhow::Result<()> {
        ensure!(self.aud == origin, "for {}, not for {origin}", self.aud);
        let left = self.exp - now.seconds();
        ensure!((1..=MAX_SECONDS).contains(&left), "valid for another {left} s");
        ensure!(self.sub.starts_with("mailto:") || self.sub.starts_with("https://"), "{}", self.sub);
        Ok(())
    }
}

/// Verifies an `Authorization` header; returns its claims and the key that signed it.
pub(super) fn verify(authorization: &str) -> anyhow::Result<(Claims, String)> {
    let parameters = authorization.strip_prefix("vapid ").context("not the scheme vapid")?;
    let parameter = |name: &str| {
        let found = parameters.split(',').find_map(|one| one.trim().strip_prefix(name)?.strip_prefix('='));
        found.with_context(|| format!("no parameter {name}"))
    };
    let (token, key) = (parameter("t")?, parameter("k")?);
    let (signed, signature) = token.rsplit_once('.').context("not a token")?;
    let signature = Signature::from_slice(&decode(signature)?).map_err(|_| anyhow!("no signature"))?;
    let public = VerifyingKey::from_sec1_bytes(&decode(key)?).map_err(|_| anyhow!("no key"))?;
    public.verify(signed.as_bytes(), &signature).map_err(|_| anyhow!("the signature does not hold"))?;
    Ok((claims(signed)?, key.to_owned()))
}

fn claims(signed: &str) -> anyhow::Result<Claims> {
    let (header, claims) = signed.split_once('.').context("not a token")?;
    let json = |part| -> anyhow::Result<Value> { Ok(serde_json::from_slice(&decode(part)?)?) };
    ensure!(json(header)?["alg"] == "ES256");
    let claims = json(claims)?;
    let text = |name: &str| claims[name].as_str().map(str::to_owned).with_context(|| format!("no {name}"));
    Ok(Claims { aud: text("aud")?, exp: claims["exp"].as_i64().context("no exp")?, sub: text("sub")? })
}

fn decode(text: &str) -> anyhow::Result<Vec<u8>> {
    Ok(URL_SAFE_NO_PAD.decode(text)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 8292 §2.4.
    const EXAMPLE: &str = "vapid t=eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiJ9.eyJhdWQiOiJodHRwczovL3B1c2guZXhhbXBsZS5uZXQiLCJleHAiOjE0NTM1MjM3NjgsInN1YiI6Im1haWx0bzpwdXNoQGV4YW1wbGUuY29tIn0.i3CYb7t4xfxCDquptFOepC9GAu_HLGkMlMuCGSK2rpiUfnK9ojFwDXb1JrErtmysazNjjvW2L9OkSSHzvoD1oA, k=BA1Hxzyi1RUM1b5wjxsn7nGxAszw2u61m164i3MrAIxHF6YK5h4SDYic-dRuU_RCPCfA5aq9ojSwk5Y2EmClBPs";

    #[test]
    fn the_example_of_rfc_8292_is_accepted_in_its_time_by_its_service() {
        let (claims, _) = verify(EXAMPLE).expect("valid");
        let at = |seconds: i64| {
            claims.check("https://push.example.net", Millis((1_453_523_768 - seconds) * 1_000))
        };
        for left in [1, MAX_SECONDS] {
            assert!(at(left).is_ok(), "{left}");
        }
        for left in [0, MAX_SECONDS + 1] {
            assert!(at(left).is_err(), "{left}");
        }
        assert!(claims.check("https://push.example.com", Millis(1_453_523_000_000)).is_err());
    }

    #[test]
    fn a_token_that_was_changed_or_signed_by_another_is_refused() {
        assert!(verify(&EXAMPLE.replace("i3CYb7t4", "i3CYb7t5")).is_err());
        assert!(verify(&EXAMPLE.replace("eyJhdWQi", "eyJhdWQj")).is_err());
        assert!(verify(&EXAMPLE.replace("vapid ", "WebPush ")).is_err());
        assert!(verify(EXAMPLE.split_once(", k=").expect("a key").0).is_err());
    }
}
