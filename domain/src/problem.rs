//! The closed table of what clients may be told went wrong (RFC 9457). Causes are logged, never sent.

use serde::Serialize;

/// Everything that an answer may blame. A code, once published, keeps its name and its status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProblemCode {
    /// The request cannot be understood.
    BadRequest,
    /// The body is not JSON.
    JsonInvalid,
    /// No key, or one that opens nothing.
    Unauthorized,
    /// The key lacks the right.
    Forbidden,
    /// The `Host` header names somebody else: a rebound name.
    HostRefused,
    /// A page of another origin tried to write.
    OriginRefused,
    /// A signed link was changed.
    LinkInvalid,
    /// A signed link is too old.
    LinkExpired,
    /// Nothing is there, or nothing that the caller may see.
    NotFound,
    /// The path is there, not with this method.
    MethodNotAllowed,
    /// The body did not arrive in time.
    RequestTimeout,
    /// What is there is not in a state that allows this.
    Conflict,
    /// There is one of this name already.
    AlreadyExists,
    /// Others need what was to go.
    InUse,
    /// Something else was published under this idempotency key.
    IdempotencyKeyTaken,
    /// The body is larger than is taken here.
    PayloadTooLarge,
    /// The body is of a type that is not taken here.
    UnsupportedMediaType,
    /// The asked range lies outside of the file.
    RangeNotSatisfiable,
    /// Values break a rule; `errors` lists them.
    ValidationFailed,
    /// The caller asked too often.
    TooManyRequests,
    /// We broke.
    Internal,
    /// What this needs is not set here.
    NotConfigured,
    /// More is under way than this process takes on.
    Overloaded,
    /// The search took longer than a search may.
    SearchTooSlow,
    /// Something that we need is away.
    Unavailable,
}

impl ProblemCode {
    /// Every code, in the order of the table.
    pub const ALL: &'static [Self] = &[
        Self::BadRequest,
        Self::JsonInvalid,
        Self::Unauthorized,
        Self::Forbidden,
        Self::HostRefused,
        Self::OriginRefused,
        Self::LinkInvalid,
        Self::LinkExpired,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::RequestTimeout,
        Self::Conflict,
        Self::AlreadyExists,
        Self::InUse,
        Self::IdempotencyKeyTaken,
        Self::PayloadTooLarge,
        Self::UnsupportedMediaType,
        Self::RangeNotSatisfiable,
        Self::ValidationFailed,
        Self::TooManyRequests,
        Self::Internal,
        Self::NotConfigured,
        Self::Overloaded,
        Self::SearchTooSlow,
        Self::Unavailable,
    ];

    const fn row(self) -> (u16, &'static str, &'static str) {
        match self {
            Self::BadRequest => (400, "bad_request", "The request cannot be understood"),
            Self::JsonInvalid => (400, "json_invalid", "The body is not valid JSON"),
            Self::Unauthorized => (401, "unauthorized", "A valid key is needed"),
            Self::Forbidden => (403, "forbidden", "The key lacks the right to do this"),
            Self::HostRefused => (403, "host_refused", "This host name is not served here"),
            Self::OriginRefused => (403, "origin_refused", "Pages of other origins may not write here"),
            Self::LinkInvalid => (403, "link_invalid", "The link is not valid"),
            Self::LinkExpired => (403, "link_expired", "The link has expired"),
            Self::NotFound => (404, "not_found", "There is nothing here"),
            Self::MethodNotAllowed => (405, "method_not_allowed", "This method is not allowed here"),
            Self::RequestTimeout => (408, "request_timeout", "The request did not arrive in time"),
            Self::Conflict => (409, "conflict", "Its state does not allow this"),
            Self::AlreadyExists => (409, "already_exists", "There is one of this name already"),
            Self::InUse => (409, "in_use", "It is in use"),
            Self::IdempotencyKeyTaken => {
                (409, "idempotency_key_taken", "Another body was published under this idempotency key")
            }
            Self::PayloadTooLarge => (413, "payload_too_large", "The body is too large"),
            Self::UnsupportedMediaType => {
                (415, "unsupported_media_type", "This content type is not taken here")
            }
            Self::RangeNotSatisfiable => (416, "range_not_satisfiable", "The range lies outside of the file"),
            Self::ValidationFailed => (422, "validation_failed", "Some values are not valid"),
            Self::TooManyRequests => (429, "too_many_requests", "Too many requests, try again soon"),
            Self::Internal => (500, "internal", "Something failed on our side"),
            Self::NotConfigured => (501, "not_configured", "What this needs is not set here"),
            Self::Overloaded => (503, "overloaded", "Too much is under way, try again soon"),
            Self::SearchTooSlow => {
                (503, "search_too_slow", "The search took too long, narrow it by more filters")
            }
            Self::Unavailable => (503, "unavailable", "Something is away, try again soon"),
        }
    }

    /// HTTP status of the answer.
    #[must_use]
    pub const fn status(self) -> u16 {
        self.row().0
    }

    /// The stable word that programs look at.
    #[must_use]
    pub const fn code(self) -> &'static str {
        self.row().1
    }

    /// One line for people, the same for every answer of this code.
    #[must_use]
    pub const fn title(self) -> &'static str {
        self.row().2
    }

    /// The `type` member: a URI that names this problem.
    #[must_use]
    pub fn type_uri(self) -> String {
        format!("urn:hookyard:problem:{}", self.code())
    }

    /// The code that says what a bare HTTP status says.
    #[must_use]
    pub fn of_status(status: u16) -> Self {
        match status {
            404 => Self::NotFound,
            422 => Self::ValidationFailed,
            503 => Self::Unavailable,
            _ if status >= 500 => Self::Internal,
            _ => Self::ALL.iter().copied().find(|code| code.status() == status).unwrap_or(Self::BadRequest),
        }
    }
}

/// One value that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// Where it stands, such as `limit` or `custom_headers`.
    pub field: String,
    /// What the rule is.
    pub message: String,
}

impl FieldError {
    /// `field` breaks the rule that `message` states.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::ProblemCode;

    const TABLE: &str = "\
400 bad_request: The request cannot be understood
400 json_invalid: The body is not valid JSON
401 unauthorized: A valid key is needed
403 forbidden: The key lacks the right to do this
403 host_refused: This host name is not served here
403 origin_refused: Pages of other origins may not write here
403 link_invalid: The link is not valid
403 link_expired: The link has expired
404 not_found: There is nothing here
405 method_not_allowed: This method is not allowed here
408 request_timeout: The request did not arrive in time
409 conflict: Its state does not allow this
409 already_exists: There is one of this name already
409 in_use: It is in use
409 idempotency_key_taken: Another body was published under this idempotency key
413 payload_too_large: The body is too large
415 unsupported_media_type: This content type is not taken here
416 range_not_satisfiable: The range lies outside of the file
422 validation_failed: Some values are not valid
429 too_many_requests: Too many requests, try again soon
500 internal: Something failed on our side
501 not_configured: What this needs is not set here
503 overloaded: Too much is under way, try again soon
503 search_too_slow: The search took too long, narrow it by more filters
503 unavailable: Something is away, try again soon
";

    #[test]
    fn the_table_is_public_and_only_grows() {
        let table: String = ProblemCode::ALL
            .iter()
            .map(|code| format!("{} {}: {}\n", code.status(), code.code(), code.title()))
            .collect();
        assert_eq!(table, TABLE);
    }

    #[test]
    fn every_bare_status_has_a_code_that_stays_in_its_class() {
        for status in 400..600 {
            let code = ProblemCode::of_status(status);
            assert_eq!(code.status() / 100, status / 100, "{status} became {code:?}");
        }
        assert_eq!(ProblemCode::of_status(405), ProblemCode::MethodNotAllowed);
        assert_eq!(ProblemCode::of_status(403), ProblemCode::Forbidden);
        assert_eq!(ProblemCode::of_status(503), ProblemCode::Unavailable);
    }
}
