//! The closed table of what clients may be told went wrong (RFC 9457). Causes are logged, never sent.
