//! stub
use crate::text::{Loc, Span};
use crate::value::Value;
/// x
#[derive(Debug)]
pub struct Flag { /// x
 pub name: Box<str>, /// x
 pub value: Value, /// x
 pub span: Span }
/// x
#[derive(Debug)]
pub struct Command { /// x
 pub loc: Loc, /// x
 pub program: Box<str>, /// x
 pub flags: Vec<Flag>, /// x
 pub operands: Vec<Value> }
