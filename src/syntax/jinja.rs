//! Jinja templates and expressions with spans.
