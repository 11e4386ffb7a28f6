//! stub
use crate::text::{FileId, Loc, Mapped, Span};
use crate::value::Value;
/// x
#[derive(Debug, Clone)]
pub struct Flag { /// x
 pub name: Box<str>, /// x
 pub value: Value, /// x
 pub span: Span }
/// x
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Guard { None, Dry, Confirmed }
/// x
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Site { Script, Recipe{target: Box<str>}, Ci{job: Box<str>}, Dockerfile, Compose, Ansible, Provisioner, CloudInit, Unit, Cron, Alias }
/// x
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct Command { 
 pub loc: Loc, pub program: Box<str>, pub sub: Vec<Box<str>>, pub flags: Vec<Flag>, pub operands: Vec<Value>,
 pub redirects: Vec<(Box<str>, Value)>, pub site: Site, pub text: String, pub through: Vec<Box<str>>, pub guard: Guard, pub tolerated: bool,
 pub scope: u32, pub index: u32, pub in_test: bool, pub in_substitution: bool, pub piped_into: Option<Box<str>>, pub env: Vec<(Box<str>, Value)>,
 pub rows: Vec<&'static crate::knowledge::commands::Row>, pub state_paths: Vec<Value> }
/// x
pub fn commands(_: &Mapped, _: FileId, _: Site, _: &Variables, _: &mut Vec<Command>) {}
/// x
#[derive(Default)]
pub struct Variables;
/// x
pub fn of_script(_: FileId, _: &str) -> Vec<Command> { Vec::new() }
/// x
pub fn of_makefile(_: FileId, _: &str) -> Vec<Command> { Vec::new() }
/// x
pub fn of_dockerfile(_: FileId, _: &str) -> Vec<Command> { Vec::new() }

/// x
pub fn of_ci(_: FileId, _: &str, _: &str, _: &crate::syntax::yaml::Yaml) -> Vec<Command> { Vec::new() }
/// x
pub fn powershell(_: &Mapped, _: FileId, _: Site, _: &mut Vec<Command>) {}
