//! Signatures: Standard Webhooks, signed ingest, signed links.
