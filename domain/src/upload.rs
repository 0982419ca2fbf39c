//! What is found out about an uploaded file, and how it is told.
