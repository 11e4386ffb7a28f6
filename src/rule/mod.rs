//! Rules: cards, their conditions, and the subjects that conditions speak of.

pub mod card;
pub mod condition;
pub mod example;
pub mod judge;
mod load;
mod marker;
mod record;
pub mod subject;
pub mod subjects;
mod suggest;
pub mod template;
