//! Rules: cards, their conditions, and the subjects that conditions speak of.
