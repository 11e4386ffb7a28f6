//! What each tool declares, resolved as that tool would.

pub mod agents;
pub mod annotation;
pub mod ansible;
pub mod command;
pub mod git;
pub mod kind;
pub mod load;
pub mod packer;
pub mod terraform;

use crate::syntax::yaml::{Node, Scalar};
use crate::value::Data;

/// A YAML scalar as the data that it stands for (YAML 1.1, as Ansible reads it).
#[must_use]
pub fn scalar(node: Node<'_>) -> Data {
    match node.resolve() {
        Scalar::Null => Data::Null,
        Scalar::Bool(value) => Data::Bool(value),
        Scalar::Number(value) => Data::Number(value),
        Scalar::Str => Data::from(node.as_str().unwrap_or("")),
    }
}
