//! The rules of a registered webhook: its address, its headers, its payload.
