//! The closed table of problems that an API response may name (RFC 9457). Causes are logged, never sent.

use serde::Serialize;

/// A kind of problem. A published code keeps its name and its status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProblemCode {
    /// Malformed request.
    BadRequest,
    /// The body is not JSON.
    JsonInvalid,
    /// No API key, or an unknown one.
    Unauthorized,
    /// The key lacks the permission.
    Forbidden,
    /// The `Host` header is not one of ours: DNS rebinding.
    HostRefused,
    /// A page of another origin tried to write.
    OriginRefused,
    /// A signed link was changed.
    LinkInvalid,
    /// A signed link is too old.
    LinkExpired,
    /// Nothing at this path, or nothing that the caller may see.
    NotFound,
    /// The path exists, but not with this method.
    MethodNotAllowed,
    /// The body did not arrive in time.
    RequestTimeout,
    /// The state of the resource does not allow this.
    Conflict,
    /// A resource of this name already exists.
    AlreadyExists,
    /// Other resources depend on what would be deleted.
    InUse,
    /// A different body was published under this idempotency key.
    IdempotencyKeyTaken,
    /// The body exceeds the limit.
    PayloadTooLarge,
    /// The content type is not supported here.
    UnsupportedMediaType,
    /// The requested range lies outside the file.
    RangeNotSatisfiable,
    /// Values break a rule; `errors` lists them.
    ValidationFailed,
    /// The caller asked too often.
    TooManyRequests,
    /// An internal error.
    Internal,
    /// This feature is not configured.
    NotConfigured,
    /// The process is at its limit of work in progress.
    Overloaded,
    /// The search took longer than a search may.
    SearchTooSlow,
    /// The database or another dependency does not respond.
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
            Self::BadRequest => (400, "bad_request", "Malformed request"),
            Self::JsonInvalid => (400, "json_invalid", "The body is not valid JSON"),
            Self::Unauthorized => (401, "unauthorized", "A valid API key is required"),
            Self::Forbidden => (403, "forbidden", "The API key does not permit this"),
            Self::HostRefused => (403, "host_refused", "Host not allowed"),
            Self::OriginRefused => (403, "origin_refused", "Cross-site request blocked"),
            Self::LinkInvalid => (403, "link_invalid", "The link is not valid"),
            Self::LinkExpired => (403, "link_expired", "The link has expired"),
            Self::NotFound => (404, "not_found", "Not found"),
            Self::MethodNotAllowed => (405, "method_not_allowed", "Method not allowed"),
            Self::RequestTimeout => (408, "request_timeout", "The request was not received in time"),
            Self::Conflict => (409, "conflict", "The current state does not allow this"),
            Self::AlreadyExists => (409, "already_exists", "A resource of this name already exists"),
            Self::InUse => (409, "in_use", "The resource is in use"),
            Self::IdempotencyKeyTaken => {
                (409, "idempotency_key_taken", "A different body was published under this idempotency key")
            }
            Self::PayloadTooLarge => (413, "payload_too_large", "The body is too large"),
            Self::UnsupportedMediaType => (415, "unsupported_media_type", "Unsupported content type"),
            Self::RangeNotSatisfiable => (416, "range_not_satisfiable", "The range lies outside the file"),
            Self::ValidationFailed => (422, "validation_failed", "Some values are not valid"),
            Self::TooManyRequests => (429, "too_many_requests", "Too many requests, try again soon"),
            Self::Internal => (500, "internal", "Internal server error"),
            Self::NotConfigured => (501, "not_configured", "This feature is not configured"),
            Self::Overloaded => (503, "overloaded", "The server is overloaded, try again soon"),
            Self::SearchTooSlow => (503, "search_too_slow", "The search took too long, add more filters"),
            Self::Unavailable => (503, "unavailable", "A required service is unavailable, try again soon"),
        }
    }

    /// HTTP status of the answer.
    #[must_use]
    pub const fn status(self) -> u16 {
        self.row().0
    }

    /// The stable identifier for programs.
    #[must_use]
    pub const fn code(self) -> &'static str {
        self.row().1
    }

    /// One line for people, the same for each response with this code.
    #[must_use]
    pub const fn title(self) -> &'static str {
        self.row().2
    }

    /// The `type` member: a URI that names this problem.
    #[must_use]
    pub fn type_uri(self) -> String {
        format!("urn:hookyard:problem:{}", self.code())
    }

    /// Returns the code for a bare HTTP status.
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

/// A value that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// The field, such as `limit` or `custom_headers`.
    pub field: String,
    /// The rule.
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
